"""Files of every way of storing that the reader meets; see README.md."""

import os

import h5py
import hdf5plugin
import netCDF4
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
SHAPE = (5, 7, 10)
CHUNK = (2, 3, 4)
rng = np.random.default_rng(5)


def values(dtype, shape=SHAPE):
    """Smooth values, so that they compress, all of them different."""
    cells = np.arange(np.prod(shape)).reshape(shape)
    return (cells % 101 if np.dtype(dtype).itemsize == 1 else cells * 25 // 4).astype(dtype)


def variable(file, name, dtype, data=None, dims=("time", "lat", "lon"), **how):
    how = {"chunksizes": CHUNK, "zlib": False} | how
    made = file.createVariable(name, dtype, dims, **how)
    made.set_auto_maskandscale(False)
    if data is not False:
        made[...] = values(made.dtype) if data is None else data
    return made


def dimensions(file, time=None):
    file.createDimension("time", time)
    file.createDimension("lat", SHAPE[1])
    file.createDimension("lon", SHAPE[2])


def path(name):
    return os.path.join(HERE, name)


with netCDF4.Dataset(path("filters.nc"), "w") as file:
    dimensions(file)
    for dtype in ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]:
        for name, how in {
            "plain": {},
            "deflate": dict(zlib=True, shuffle=False, complevel=4),
            "shuffle": dict(zlib=True, shuffle=True, complevel=1),
            "fletcher": dict(fletcher32=True),
            "all": dict(zlib=True, shuffle=True, fletcher32=True),
        }.items():
            if name == "shuffle" or dtype in ["i2", "f4", "f8"]:
                variable(file, f"chunks_{name}_{dtype}", dtype, **how)
    for dtype in ["i2", "i4", "i8", "f4", "f8"]:
        variable(file, f"chunks_big_{dtype}", ">" + dtype, zlib=True, endian="big")
        variable(file, f"chunks_big_plain_{dtype}", ">" + dtype, endian="big")
    packed = variable(file, "chunks_packed", "i2", zlib=True)
    packed.scale_factor, packed.add_offset = 0.01, 273.15
    noise = rng.integers(0, 256, (*SHAPE, 4), dtype="u1").view("f4")[..., 0]
    variable(file, "chunks_noise", "f4", noise, zlib=True)
    variable(file, "chunks_whole", "f4", zlib=True, chunksizes=SHAPE)
    variable(file, "chunks_rows", "f4", zlib=True, chunksizes=(1, 1, SHAPE[2]))
    # Parts that were never written: a fill value of its own, the default one, none that is defined.
    variable(file, "chunks_own_fill", "f4", False, zlib=True, fill_value=-7.5)[4, 2:5, 3:] = 1.5
    variable(file, "chunks_default_fill", "i4", False, zlib=True)[4, 2:5, 3:] = 15
    variable(file, "chunks_big_fill", ">i2", False, zlib=True, endian="big", fill_value=258)[4, 0, 0] = 1
    variable(file, "library_never", "f8", False, fletcher32=True)
    variable(file, "library_scaleoffset", "f4", False)
    variable(file, "library_szip", "i4", False)
    variable(file, "library_mixed", "i4", False)
    variable(file, "masks", "i4", False)

# Orders of filters, and chunks for which some were left out, as only HDF5 itself makes them.
with h5py.File(path("filters.nc"), "a") as file:
    def replaced(name, dtype, setup):
        old = file[name]
        scales = [old.dims[i][0].name for i in range(3)]
        attributes = dict(old.attrs)
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk(CHUNK)
        plist.set_attr_creation_order(h5py.h5p.CRT_ORDER_TRACKED | h5py.h5p.CRT_ORDER_INDEXED)
        setup(plist)
        space = h5py.h5s.create_simple(SHAPE, (h5py.h5s.UNLIMITED, SHAPE[1], SHAPE[2]))
        del file[name]
        made = h5py.h5d.create(file.id, name.encode(), h5py.h5t.py_create(np.dtype(dtype)), space, plist)
        made = h5py.Dataset(made)
        for i, scale in enumerate(scales):
            made.dims[i].attach_scale(file[scale])
        for key, value in attributes.items():
            if key == "_Netcdf4Dimid":
                made.attrs[key] = value
        made[...] = values(dtype)
        return made

    def scaleoffset(plist):
        plist.set_scaleoffset(h5py.h5z.SO_FLOAT_DSCALE, 1)

    def szip(plist):
        plist.set_szip(h5py.h5z.SZIP_NN_OPTION_MASK, 8)

    def deflate_first(plist):
        plist.set_deflate(4)
        plist.set_shuffle()
        plist.set_fletcher32()

    def fletcher_first(plist):
        plist.set_fletcher32()
        plist.set_shuffle()
        plist.set_deflate(4)

    replaced("library_scaleoffset", "<f4", scaleoffset)
    if h5py.h5z.filter_avail(h5py.h5z.FILTER_SZIP):
        replaced("library_szip", "<i4", szip)
    replaced("library_mixed", "<i4", lambda p: (p.set_deflate(4), p.set_deflate(4)))
    file.move("library_mixed", "library_twice")
    made = replaced("masks", "<i4", fletcher_first)
    file.move("masks", "chunks_masks")
    # The last filter, the first two and all of them left out.
    import zlib
    for place, mask in [((0, 0, 0), 0b100), ((2, 3, 4), 0b011), ((0, 3, 0), 0b111)]:
        chunk = values("<i4")[tuple(slice(p, p + n) for p, n in zip(place, CHUNK))]
        plain = chunk.tobytes()
        if mask == 0b011:
            plain = zlib.compress(plain)
        if mask == 0b100:
            # With the checksum, shuffled, not deflated.
            _, stored = made.id.read_direct_chunk(place)
            plain = zlib.decompress(stored)
        made.id.write_direct_chunk(place, plain, mask)

with netCDF4.Dataset(path("layouts.nc"), "w") as file:
    dimensions(file, SHAPE[0])
    file.createDimension("level", 4)
    file.createDimension("none", 0)
    file.createDimension("grows", None)
    file.createDimension("bare", SHAPE[2])
    variable(file, "plain_contiguous", "f4", chunksizes=None, contiguous=True)
    variable(file, "plain_big", ">f8", chunksizes=None, contiguous=True, endian="big")
    variable(file, "plain_packed", "i2", chunksizes=None, contiguous=True).scale_factor = 0.01
    variable(file, "library_contiguous_empty", "f4", False, chunksizes=None, contiguous=True)
    variable(file, "level", "f8", np.arange(4.0), ("level",), chunksizes=None)
    # Called like a dimension without being its coordinate, and as long as that dimension's own array.
    file.createDimension("band", SHAPE[2])
    variable(file, "band", "f4", values("f4", SHAPE[2:]), ("bare",), zlib=True, chunksizes=(7,))
    variable(file, "chunks_longer", "i4", values("i4", (6, 10)), ("grows", "bare"), chunksizes=(4, 10))
    variable(file, "library_shorter", "i4", values("i4", (3, 10)), ("grows", "bare"), chunksizes=(4, 10))
    variable(file, "library_of_no_length", "i4", False, ("grows", "none"), chunksizes=(4, 1))
    variable(file, "chunks_never", "f8", False, zlib=True, fletcher32=True)
    inner = file.createGroup("inner")
    variable(file, "chunks_outer", "f4", zlib=True)
    variable(inner, "chunks_outer", "f4", values("f4") + 1000, zlib=True)

with h5py.File(path("userblock.nc"), "w", userblock_size=1024) as file:
    for name, how in {"plain": {}, "deflate": dict(compression=4, shuffle=True)}.items():
        file.create_dataset(f"chunks_{name}", data=values("<f4"), chunks=CHUNK, **how)
    file.create_dataset("plain_contiguous", data=values("<f4"))
    file.create_dataset("plain_big", data=values(">i2"))
    compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    compact.set_layout(h5py.h5d.COMPACT)
    space = h5py.h5s.create_simple((3, 4))
    made = h5py.h5d.create(file.id, b"library_compact", h5py.h5t.STD_I16LE, space, compact)
    h5py.Dataset(made)[...] = np.arange(12).reshape(3, 4)
with open(path("userblock.nc"), "r+b") as file:
    file.write(b"user" * 256)

# Values that lie in another file.
with h5py.File(path("external.nc"), "w") as file:
    file.create_dataset("library_external", SHAPE[1:], "<f4", external=[("elsewhere", 0, 280)])

# A filter that h5py brings along and netCDF lacks.
with h5py.File(path("lzf.nc"), "w") as file:
    file.create_dataset("field", data=values("<f4"), chunks=CHUNK, compression="lzf")

# Filters that HDF5 takes from plugins, if it finds them. Some leave chunks as they are that hardly become smaller.
with h5py.File(path("plugins.nc"), "w") as file:
    for name, how in {
        "zstd": hdf5plugin.Zstd(),
        "blosc_lz4": hdf5plugin.Blosc(cname="lz4", shuffle=hdf5plugin.Blosc.SHUFFLE),
        "blosc_zlib": hdf5plugin.Blosc(cname="zlib", shuffle=hdf5plugin.Blosc.NOSHUFFLE),
        "lz4": hdf5plugin.LZ4(),
        "bitshuffle": hdf5plugin.Bitshuffle(),
        "bzip2": hdf5plugin.BZip2(),
        "zstd_shuffled": dict(shuffle=True, fletcher32=True, **hdf5plugin.Zstd()),
    }.items():
        for dtype in ["<i2", "<f4", ">f8"] if name.startswith("zstd") else ["<f4"]:
            made = file.create_dataset(f"library_{name}_{dtype[1:]}", data=values(dtype), chunks=(3, *SHAPE[1:]), **how)
            assert all(made.id.get_chunk_info(i).filter_mask == 0 for i in range(2)), name

for name, kind in {"classic": "NETCDF3_CLASSIC", "offset64": "NETCDF3_64BIT_OFFSET", "cdf5": "NETCDF3_64BIT_DATA"}.items():
    with netCDF4.Dataset(path(f"{name}.nc"), "w", format=kind) as file:
        dimensions(file)
        for dtype in ["i1", "i2", "i4", "f4", "f8"] + (["u1", "u2", "u4", "i8", "u8"] if name == "cdf5" else []):
            made = file.createVariable(f"plain_{dtype}", dtype, ("time", "lat", "lon"))
            made[...] = values(dtype)
        made = file.createVariable("plain_partly", "f4", ("time", "lat"), fill_value=-3.0)
        made[1, 2] = 1.0
        made = file.createVariable("plain_fixed", "i2", ("lat", "lon"))
        made[...] = values("i2", SHAPE[1:])

# The records of a variable that is alone are not padded.
with netCDF4.Dataset(path("alone.nc"), "w", format="NETCDF3_CLASSIC") as file:
    file.createDimension("time", None)
    file.createDimension("odd", 7)
    file.createVariable("plain_alone", "i1", ("time", "odd"))[...] = values("i1", (5, 7))
