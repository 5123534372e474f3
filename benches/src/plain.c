/* The loops that anyone would write by hand: no graph, no files, weights ready, one thread. Sums run in double between
   load and store. Rows first: two rows become one, which is then gathered from; or cell by cell. */

#include <math.h>
#include <stddef.h>
#include <stdint.h>

/* How many planes there are, and how large; of a plane's columns, the stretch that is used. */
struct plain_shape {
    size_t planes, source_rows, source_columns, target_rows, target_columns, first_column, end_column;
};

/* A target's two neighbours along an axis, and their weights. */
struct plain_pair {
    size_t first, second;
    double v, w;
};

/* Any number of sources for each target along an axis: those of target t are from starts[t] up to starts[t + 1]. */
struct plain_entries {
    const size_t *starts, *cells;
    const double *weights;
};

/* What packed values mean. */
struct plain_packing {
    float factor, offset;
    int16_t missing;
};

#define AS_IT_IS(x) ((double)(x))
#define UNPACKED(x) ((x) == packing->missing ? (double)NAN : (double)((float)(x) * packing->factor + packing->offset))

#define LINEAR(NAME, FROM, TO, READ)                                                                                   \
    void plain_linear_##NAME(const struct plain_shape *shape, const struct plain_pair *rows,                           \
                             const struct plain_pair *columns, const struct plain_packing *packing,                    \
                             double *restrict blended, const FROM *restrict source, TO *restrict target)               \
    {                                                                                                                  \
        (void)packing;                                                                                                 \
        for (size_t p = 0; p < shape->planes; p++) {                                                                   \
            for (size_t r = 0; r < shape->target_rows; r++) {                                                          \
                const FROM *a = source + rows[r].first * shape->source_columns;                                        \
                const FROM *b = source + rows[r].second * shape->source_columns;                                       \
                const double v = rows[r].v, w = rows[r].w;                                                             \
                for (size_t c = shape->first_column; c < shape->end_column; c++)                                       \
                    blended[c] = v * READ(a[c]) + w * READ(b[c]);                                                      \
                for (size_t c = 0; c < shape->target_columns; c++)                                                     \
                    target[c] = (TO)(columns[c].v * blended[columns[c].first]                                          \
                                     + columns[c].w * blended[columns[c].second]);                                     \
                target += shape->target_columns;                                                                       \
            }                                                                                                          \
            source += shape->source_rows * shape->source_columns;                                                      \
        }                                                                                                              \
    }                                                                                                                  \
                                                                                                                       \
    void plain_by_cell_##NAME(const struct plain_shape *shape, const struct plain_pair *rows,                          \
                              const struct plain_pair *columns, const struct plain_packing *packing,                   \
                              double *restrict blended, const FROM *restrict source, TO *restrict target)              \
    {                                                                                                                  \
        (void)packing, (void)blended;                                                                                  \
        for (size_t p = 0; p < shape->planes; p++) {                                                                   \
            for (size_t r = 0; r < shape->target_rows; r++) {                                                          \
                const FROM *a = source + rows[r].first * shape->source_columns;                                        \
                const FROM *b = source + rows[r].second * shape->source_columns;                                       \
                const double v = rows[r].v, w = rows[r].w;                                                             \
                for (size_t c = 0; c < shape->target_columns; c++) {                                                   \
                    const size_t i = columns[c].first, j = columns[c].second;                                          \
                    target[c] = (TO)(columns[c].v * (v * READ(a[i]) + w * READ(b[i]))                                  \
                                     + columns[c].w * (v * READ(a[j]) + w * READ(b[j])));                              \
                }                                                                                                      \
                target += shape->target_columns;                                                                       \
            }                                                                                                          \
            source += shape->source_rows * shape->source_columns;                                                      \
        }                                                                                                              \
    }

LINEAR(f32, float, float, AS_IT_IS)
LINEAR(f64, double, double, AS_IT_IS)
LINEAR(i16, int16_t, float, UNPACKED)

/* Copies the neighbour that has more weight. */
void plain_nearest(const struct plain_shape *shape, const struct plain_pair *rows, const struct plain_pair *columns,
                   const float *restrict source, float *restrict target)
{
    for (size_t p = 0; p < shape->planes; p++) {
        for (size_t r = 0; r < shape->target_rows; r++) {
            const size_t row = rows[r].v < rows[r].w ? rows[r].second : rows[r].first;
            const float *a = source + row * shape->source_columns;
            for (size_t c = 0; c < shape->target_columns; c++)
                target[c] = a[columns[c].v < columns[c].w ? columns[c].second : columns[c].first];
            target += shape->target_columns;
        }
        source += shape->source_rows * shape->source_columns;
    }
}

/* Means over all the cells that a target overlaps, where nothing is missing. */
void plain_area(const struct plain_shape *shape, const struct plain_entries *rows,
                const struct plain_entries *columns, double *restrict blended, const float *restrict source,
                float *restrict target)
{
    const size_t width = shape->source_columns;

    for (size_t p = 0; p < shape->planes; p++) {
        for (size_t r = 0; r < shape->target_rows; r++) {
            for (size_t c = 0; c < width; c++)
                blended[c] = 0;
            for (size_t e = rows->starts[r]; e < rows->starts[r + 1]; e++) {
                const float *a = source + rows->cells[e] * width;
                const double w = rows->weights[e];
                for (size_t c = 0; c < width; c++)
                    blended[c] += w * a[c];
            }
            for (size_t c = 0; c < shape->target_columns; c++) {
                double sum = 0;
                for (size_t e = columns->starts[c]; e < columns->starts[c + 1]; e++)
                    sum += columns->weights[e] * blended[columns->cells[e]];
                target[c] = (float)sum;
            }
            target += shape->target_columns;
        }
        source += shape->source_rows * width;
    }
}

/* The same over the cells that are not missing; `blended` has room for two rows. */
void plain_area_missing(const struct plain_shape *shape, const struct plain_entries *rows,
                        const struct plain_entries *columns, double *restrict blended, const float *restrict source,
                        float *restrict target)
{
    const size_t width = shape->source_columns;
    double *restrict valid = blended + width;

    for (size_t p = 0; p < shape->planes; p++) {
        for (size_t r = 0; r < shape->target_rows; r++) {
            for (size_t c = 0; c < width; c++)
                blended[c] = valid[c] = 0;
            for (size_t e = rows->starts[r]; e < rows->starts[r + 1]; e++) {
                const float *a = source + rows->cells[e] * width;
                const double w = rows->weights[e];
                for (size_t c = 0; c < width; c++) {
                    const int there = a[c] == a[c];
                    blended[c] += there ? w * a[c] : 0;
                    valid[c] += there ? w : 0;
                }
            }
            for (size_t c = 0; c < shape->target_columns; c++) {
                double sum = 0, all = 0;
                for (size_t e = columns->starts[c]; e < columns->starts[c + 1]; e++) {
                    sum += columns->weights[e] * blended[columns->cells[e]];
                    all += columns->weights[e] * valid[columns->cells[e]];
                }
                target[c] = all > 0 ? (float)(sum / all) : NAN;
            }
            target += shape->target_columns;
        }
        source += shape->source_rows * width;
    }
}
