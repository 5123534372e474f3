/* Makes partial.nc, whose chunks at the edge are stored without their filters: cc partial.c -lhdf5 && ./a.out */
#include <hdf5.h>

int main(void)
{
    hsize_t shape[2] = {10, 15}, chunk[2] = {4, 6};
    float values[150];
    for (int i = 0; i < 150; i++)
        values[i] = 250 + i / 4.0f;
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), how = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110);
    H5Pset_chunk(how, 2, chunk);
    H5Pset_shuffle(how);
    H5Pset_chunk_opts(how, H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS);
    hid_t file = H5Fcreate("partial.nc", H5F_ACC_TRUNC, H5P_DEFAULT, access);
    hid_t space = H5Screate_simple(2, shape, NULL);
    hid_t shuffled = H5Dcreate2(file, "library_shuffled", H5T_IEEE_F32LE, space, H5P_DEFAULT, how, H5P_DEFAULT);
    H5Dwrite(shuffled, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    H5Pset_deflate(how, 1);
    hid_t deflated = H5Dcreate2(file, "library_deflated", H5T_IEEE_F32LE, space, H5P_DEFAULT, how, H5P_DEFAULT);
    H5Dwrite(deflated, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    H5Dclose(shuffled);
    H5Dclose(deflated);
    return H5Fclose(file) < 0;
}
