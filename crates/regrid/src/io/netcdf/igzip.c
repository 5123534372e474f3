/* ISA-L by its own header, so that nobody else has to know how its stream is laid out. */

#include <isa-l/igzip_lib.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes of memory that regrid_igzip works in. */
size_t regrid_igzip_memory(void) { return ISAL_DEF_LVL1_DEFAULT; }

/* Writes bytes as a stream of zlib's format, by level 1; gives its length, or 0 if it has no room. */
uint32_t regrid_igzip(const uint8_t *bytes, uint32_t len, uint8_t *out, uint32_t room, uint8_t *memory)
{
    struct isal_zstream stream;

    /* The library leaves `hist_bits` as it was, and small numbers mean something there: a chunk in ten thousand would be
       compressed otherwise than before. The large buffers at the end are of no account. */
    memset(&stream, 0, offsetof(struct isal_zstream, internal_state.buffer));
    isal_deflate_stateless_init(&stream);
    /* Where all bytes are the same at first it goes on with the matches of the chunk before. */
    if (len >= 8 && (bytes[0] == 0 || bytes[0] == 0xff) && memcmp(bytes, bytes + 1, 7) == 0)
        memset(memory, 0, ISAL_DEF_LVL1_DEFAULT);
    stream.level = 1;
    stream.level_buf = memory;
    stream.level_buf_size = ISAL_DEF_LVL1_DEFAULT;
    stream.gzip_flag = IGZIP_ZLIB;
    stream.end_of_stream = 1;
    stream.next_in = (uint8_t *)bytes;
    stream.avail_in = len;
    stream.next_out = out;
    stream.avail_out = room;
    return isal_deflate_stateless(&stream) == COMP_OK ? stream.total_out : 0;
}
