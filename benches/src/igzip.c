/* ISA-L at any of its levels, to be timed. */

#include <isa-l/igzip_lib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What is worked in, used again for every chunk. */
struct bench_igzip {
    struct isal_zstream stream;
    struct inflate_state inflate;
    uint32_t level, room;
    uint8_t memory[];
};

static const uint32_t rooms[] = {ISAL_DEF_LVL0_DEFAULT, ISAL_DEF_LVL1_DEFAULT, ISAL_DEF_LVL2_DEFAULT,
                                 ISAL_DEF_LVL3_DEFAULT};

struct bench_igzip *bench_igzip_new(uint32_t level)
{
    struct bench_igzip *igzip = level < 4 ? calloc(1, sizeof(*igzip) + rooms[level]) : NULL;

    if (igzip) {
        igzip->level = level;
        igzip->room = rooms[level];
    }
    return igzip;
}

void bench_igzip_free(struct bench_igzip *igzip) { free(igzip); }

/* The length of the stream in zlib's format; 0 if there is no room for it. */
uint32_t bench_igzip_deflate(struct bench_igzip *igzip, const uint8_t *bytes, uint32_t len, uint8_t *out, uint32_t room)
{
    struct isal_zstream *stream = &igzip->stream;

    isal_deflate_stateless_init(stream);
    stream->level = igzip->level;
    stream->level_buf = igzip->room ? igzip->memory : NULL;
    stream->level_buf_size = igzip->room;
    stream->gzip_flag = IGZIP_ZLIB;
    stream->end_of_stream = 1;
    stream->next_in = (uint8_t *)bytes;
    stream->avail_in = len;
    stream->next_out = out;
    stream->avail_out = room;
    return isal_deflate_stateless(stream) == COMP_OK ? stream->total_out : 0;
}

/* The number of bytes that a stream in zlib's format stands for; 0 if it is none, or has more. */
uint32_t bench_igzip_inflate(struct bench_igzip *igzip, const uint8_t *bytes, uint32_t len, uint8_t *out, uint32_t room)
{
    struct inflate_state *state = &igzip->inflate;

    isal_inflate_init(state);
    state->crc_flag = ISAL_ZLIB;
    state->next_in = (uint8_t *)bytes;
    state->avail_in = len;
    state->next_out = out;
    state->avail_out = room;
    return isal_inflate_stateless(state) == ISAL_DECOMP_OK ? state->total_out : 0;
}
