//! Storage chunks of netCDF-4 files as they lie in the file, compressed, and where the rest lies: the few calls of HDF5 that netCDF does not offer.
//!
//! All calls of HDF5 itself are in this file. Each is made under the lock under which the `netcdf` crate
//! makes all of its own, so that HDF5 never runs twice at once; nothing else is done under it. A file that is open through
//! netCDF may be opened here as well: HDF5 knows that it is the same.

#![expect(
    unsafe_code,
    reason = "neither netCDF nor its crate gives chunks as they are stored"
)]

use std::ffi::{CStr, CString, c_char, c_uint};
use std::fmt;
use std::path::Path;
use std::ptr;

use hdf5_metno_sys::LOCK;
use hdf5_metno_sys::h5::{HADDR_UNDEF, haddr_t, herr_t, hsize_t};
use hdf5_metno_sys::h5d::{
    H5D_layout_t, H5Dclose, H5Dget_create_plist, H5Dget_offset, H5Dget_space, H5Dget_storage_size,
    H5Dget_type, H5Dopen2, H5Dread_chunk1, H5Dset_extent, H5Dwrite_chunk,
};
use hdf5_metno_sys::h5f::{
    H5F_ACC_RDONLY, H5F_ACC_RDWR, H5F_scope_t, H5Fclose, H5Fflush, H5Fget_filesize, H5Fopen,
};
use hdf5_metno_sys::h5i::hid_t;
use hdf5_metno_sys::h5l::H5Lexists;
use hdf5_metno_sys::h5p::{
    H5P_DEFAULT, H5Pclose, H5Pget_chunk, H5Pget_chunk_opts, H5Pget_external_count, H5Pget_filter2,
    H5Pget_layout, H5Pget_nfilters,
};
use hdf5_metno_sys::h5s::{H5Sclose, H5Sget_simple_extent_dims, H5Sget_simple_extent_ndims};
use hdf5_metno_sys::h5t::{self, H5Tclose, H5Tequal};
use hdf5_metno_sys::h5z::H5Zfilter_avail;

use super::silence::silence_hdf5;
use crate::io::traffic;
use crate::values::DataType;

unsafe extern "C" {
    // Missing from the bindings; in every HDF5 since 1.8.
    fn H5Dget_chunk_storage_size(
        dset_id: hid_t,
        offset: *const hsize_t,
        chunk_bytes: *mut hsize_t,
    ) -> herr_t;
    // In the bindings only where they know the version; in every HDF5 since 1.10.5.
    fn H5Dget_chunk_info_by_coord(
        dset_id: hid_t,
        offset: *const hsize_t,
        filter_mask: *mut c_uint,
        addr: *mut haddr_t,
        size: *mut hsize_t,
    ) -> herr_t;
}

/// Dimensions that an HDF5 array may have at the most (`H5S_MAX_RANK`).
const MOST_DIMENSIONS: usize = 32;
/// Parameters of a filter that are read at the most; shuffle and deflate have one each.
const MOST_PARAMETERS: usize = 8;

/// An open object of HDF5, closed when it is dropped.
#[derive(Debug)]
struct Handle {
    id: hid_t,
    close: unsafe extern "C" fn(hid_t) -> herr_t,
}

impl Handle {
    /// Takes over an object that was just opened; none where HDF5 answered with an error.
    fn new(id: hid_t, close: unsafe extern "C" fn(hid_t) -> herr_t) -> Option<Self> {
        (id >= 0).then_some(Self { id, close })
    }

    /// Closes it now, and tells whether all went well.
    fn close(self) -> bool {
        let _lock = LOCK.lock();
        // SAFETY: the id is open and owned by this handle, and `close` is the function for its kind; the lock is held.
        // It is not closed a second time, since the handle is forgotten.
        let done = unsafe { (self.close)(self.id) } >= 0;
        std::mem::forget(self);
        done
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let _lock = LOCK.lock();
        // SAFETY: as in `Handle::close`; a handle is dropped once.
        unsafe { (self.close)(self.id) };
    }
}

/// A netCDF-4 file opened beneath netCDF.
#[derive(Debug)]
pub(super) struct RawFile(Handle);

impl RawFile {
    /// Opens a file, for writing too or not; none if HDF5 does not take it.
    pub(super) fn open(path: &Path, writable: bool) -> Option<Self> {
        silence_hdf5();
        let path = CString::new(path.as_os_str().as_encoded_bytes()).ok()?;
        let flags = if writable {
            H5F_ACC_RDWR
        } else {
            H5F_ACC_RDONLY
        };
        let _lock = LOCK.lock();
        // SAFETY: the path is a C string that outlives the call; the lock is held.
        let id = unsafe { H5Fopen(path.as_ptr(), flags, H5P_DEFAULT) };
        Handle::new(id, H5Fclose).map(Self)
    }

    /// The array of a variable of the root group, by netCDF's rules of naming.
    pub(super) fn dataset(&self, name: &str) -> Option<RawDataset> {
        silence_hdf5();
        // A variable that is called like a dimension without being its coordinate goes by another name; the array of its
        // own name is then the dimension's.
        let other = CString::new(format!("_nc4_non_coord_{name}")).ok()?;
        let own = CString::new(name).ok()?;
        let _lock = LOCK.lock();
        let open = |name: &CStr| {
            // SAFETY: the file is open, the name is a C string that outlives the calls; the lock is held.
            let id = unsafe {
                if H5Lexists(self.0.id, name.as_ptr(), H5P_DEFAULT) <= 0 {
                    return None;
                }
                H5Dopen2(self.0.id, name.as_ptr(), H5P_DEFAULT)
            };
            Handle::new(id, H5Dclose)
        };
        RawDataset::new(open(&other).or_else(|| open(&own))?)
    }

    /// Where the file ends, as HDF5 has it. The lock has to be held, for the answer to mean something.
    fn end(&self) -> u64 {
        let _lock = LOCK.lock();
        let mut end = 0;
        // SAFETY: the file is open, and the number is written to a place that lives on; the lock is held.
        let known = unsafe { H5Fget_filesize(self.0.id, &mut end) >= 0 };
        if known { end } else { 0 }
    }

    /// Writes out all that HDF5 still holds and closes the file; tells whether all went well.
    ///
    /// Arrays of the file have to be closed before, or the file stays open with them.
    pub(super) fn finish(self) -> bool {
        let lock = LOCK.lock();
        // SAFETY: the file is open; the lock is held.
        let flushed = unsafe { H5Fflush(self.0.id, H5F_scope_t::H5F_SCOPE_GLOBAL) } >= 0;
        drop(lock);
        self.0.close() && flushed
    }
}

/// One step of a dataset's filter pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filter {
    /// HDF5's number for it.
    pub(super) id: i32,
    /// What the file calls it; empty if it does not.
    pub(super) name: String,
    /// Its first parameters.
    pub(super) parameters: Vec<u32>,
    /// Whether this library can run it.
    pub(super) available: bool,
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The HDF Group's registry of filters; files often name theirs in words of their own, or not at all.
        let known = match self.id {
            1 => "deflate",
            2 => "shuffle",
            3 => "fletcher32",
            4 => "szip",
            5 => "nbit",
            6 => "scaleoffset",
            305 => "LZO",
            307 => "bzip2",
            32000 => "LZF",
            32001 => "Blosc",
            32004 => "LZ4",
            32008 => "bitshuffle",
            32013 => "ZFP",
            32015 => "Zstandard",
            32026 => "Blosc2",
            _ => self.name.as_str(),
        };
        match known {
            "" => write!(f, "filter {} of HDF5", self.id),
            name => write!(f, "{name} (filter {} of HDF5)", self.id),
        }
    }
}

/// How a dataset is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Storage {
    /// Its lengths.
    pub(super) shape: Vec<usize>,
    /// The lengths of its chunks; none if it is stored otherwise.
    pub(super) chunk_shape: Option<Vec<usize>>,
    /// The first byte of its values in the file, if they lie there in one stretch, as they are.
    pub(super) begin: Option<u64>,
    /// Bytes that its values take in the file.
    pub(super) held: u64,
    /// The type of its values, and whether their first byte is the highest; none if they are no plain numbers.
    pub(super) values: Option<(DataType, bool)>,
    /// What was done to its chunks, in order.
    pub(super) filters: Vec<Filter>,
}

/// What is stored of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    /// Bytes in the caller's buffer, and the filters that were left out for this chunk, a bit each.
    Bytes(u32),
    /// Nothing was ever written there, as far as HDF5 tells.
    Nothing,
    /// The file cannot be read there.
    Unreadable,
}

/// Where a chunk lies in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct ChunkPlace {
    /// Its first byte.
    pub(super) begin: u64,
    /// Its bytes as stored; 0 if nothing was ever written there.
    pub(super) bytes: u64,
    /// The filters that were left out for it, a bit each.
    pub(super) mask: u32,
}

/// An array in a file opened beneath netCDF.
#[derive(Debug)]
pub(super) struct RawDataset {
    handle: Handle,
    /// The number of its dimensions.
    rank: usize,
}

impl RawDataset {
    /// Takes over an open dataset. The lock has to be held; it is taken again, which is free.
    fn new(handle: Handle) -> Option<Self> {
        let _lock = LOCK.lock();
        // SAFETY: the dataset is open; the lock is held.
        let space = Handle::new(unsafe { H5Dget_space(handle.id) }, H5Sclose)?;
        // SAFETY: the space is open; the lock is held.
        let rank = unsafe { H5Sget_simple_extent_ndims(space.id) };
        let rank = usize::try_from(rank).ok()?;
        (rank <= MOST_DIMENSIONS).then_some(Self { handle, rank })
    }

    /// How it is stored; none where HDF5 does not say.
    pub(super) fn storage(&self) -> Option<Storage> {
        silence_hdf5();
        let _lock = LOCK.lock();
        let id = self.handle.id;
        // SAFETY: the dataset is open; the lock is held. So it is for the calls below, on handles just opened.
        let space = Handle::new(unsafe { H5Dget_space(id) }, H5Sclose)?;
        // SAFETY: as above.
        let plist = Handle::new(unsafe { H5Dget_create_plist(id) }, H5Pclose)?;
        // SAFETY: as above.
        let stored = Handle::new(unsafe { H5Dget_type(id) }, H5Tclose)?;
        let mut lengths = [0; MOST_DIMENSIONS];
        // SAFETY: as above; the array has room for every dimension that HDF5 allows.
        let rank =
            unsafe { H5Sget_simple_extent_dims(space.id, lengths.as_mut_ptr(), ptr::null_mut()) };
        if usize::try_from(rank) != Ok(self.rank) {
            return None;
        }
        let shape = to_usize(&lengths[..self.rank])?;
        // SAFETY: as above.
        let layout = unsafe { H5Pget_layout(plist.id) };
        let chunk_shape = if layout == H5D_layout_t::H5D_CHUNKED {
            // SAFETY: as above; the array has as much room as is stated.
            let rank =
                unsafe { H5Pget_chunk(plist.id, MOST_DIMENSIONS as i32, lengths.as_mut_ptr()) };
            if usize::try_from(rank) != Ok(self.rank) {
                return None;
            }
            let mut options = 0;
            // SAFETY: as above; the answer is written to a place that lives on.
            let known = unsafe { H5Pget_chunk_opts(plist.id, &mut options) } >= 0;
            // Chunks at the edge may be stored without filters while their masks say that they have them.
            if !known || options != 0 {
                return None;
            }
            Some(to_usize(&lengths[..self.rank])?)
        } else {
            None
        };
        // SAFETY: as above.
        let count = c_uint::try_from(unsafe { H5Pget_nfilters(plist.id) }).ok()?;
        let values = number_type(&stored);
        // SAFETY: as above.
        let (elsewhere, held, begin) = unsafe {
            (
                H5Pget_external_count(plist.id),
                H5Dget_storage_size(id),
                H5Dget_offset(id),
            )
        };
        let size = values.map_or(0, |(data_type, _)| data_type.size());
        let bytes = shape.iter().try_fold(size, |n, &len| n.checked_mul(len));
        let in_one = layout == H5D_layout_t::H5D_CONTIGUOUS
            && elsewhere == 0
            && begin != HADDR_UNDEF
            && held > 0
            && bytes.is_some_and(|bytes| held == bytes as u64);
        Some(Storage {
            shape,
            chunk_shape,
            begin: in_one.then_some(begin),
            held,
            values,
            filters: (0..count)
                .map(|index| filter(&plist, index))
                .collect::<Option<_>>()?,
        })
    }

    /// Reads a chunk as it is stored into a buffer of its size; `offset` is the first cell of the chunk.
    ///
    /// [`Stored::Unreadable`] if there is no such buffer.
    pub(super) fn read_chunk<'a>(
        &self,
        offset: &[usize],
        buffer: impl FnOnce(usize) -> Option<&'a mut [u8]>,
    ) -> Stored {
        silence_hdf5();
        let offset = self.offset(offset);
        let (mut size, mut mask) = (0, 0);
        let _lock = LOCK.lock();
        // SAFETY: the dataset is open, the offset has one number for each of its dimensions, and the size is written to a
        // place that lives on; the lock is held.
        let known =
            unsafe { H5Dget_chunk_storage_size(self.handle.id, offset.as_ptr(), &mut size) >= 0 };
        if !known || size == 0 {
            traffic::count(0);
            return Stored::Nothing;
        }
        traffic::count(size);
        let Some(buffer) = usize::try_from(size).ok().and_then(buffer) else {
            return Stored::Unreadable;
        };
        // SAFETY: as above; HDF5 writes as many bytes as it just said the chunk has, since the lock was held throughout and
        // nobody writes to the file, and the buffer has been made that long.
        let read = unsafe {
            assert_eq!(buffer.len() as u64, size, "a buffer of the chunk's size");
            H5Dread_chunk1(
                self.handle.id,
                H5P_DEFAULT,
                offset.as_ptr(),
                &mut mask,
                buffer.as_mut_ptr().cast(),
            ) >= 0
        };
        if read {
            Stored::Bytes(mask)
        } else {
            Stored::Unreadable
        }
    }

    /// Bytes of a chunk in the file; 0 if there is nothing.
    pub(super) fn chunk_bytes(&self, offset: &[usize]) -> u64 {
        silence_hdf5();
        let offset = self.offset(offset);
        let mut size = 0;
        let _lock = LOCK.lock();
        // SAFETY: the dataset is open, the offset has one number for each of its dimensions, and the size is written to a
        // place that lives on; the lock is held.
        let known =
            unsafe { H5Dget_chunk_storage_size(self.handle.id, offset.as_ptr(), &mut size) >= 0 };
        if known { size } else { 0 }
    }

    /// Where chunks lie that begin at these cells; none where HDF5 does not say.
    ///
    /// HDF5 goes through the chunks until it finds one: about 60 ns for each of them.
    pub(super) fn chunk_places(
        &self,
        offsets: impl Iterator<Item = Vec<usize>>,
    ) -> Option<Vec<ChunkPlace>> {
        silence_hdf5();
        // Once for all of them: others hold it as long as they write a chunk.
        let _lock = LOCK.lock();
        offsets.map(|offset| self.chunk_place(&offset)).collect()
    }

    fn chunk_place(&self, offset: &[usize]) -> Option<ChunkPlace> {
        let offset = self.offset(offset);
        let (mut mask, mut begin, mut bytes) = (0, HADDR_UNDEF, 0);
        let _lock = LOCK.lock();
        // SAFETY: the dataset is open, the offset has one number for each of its dimensions, and the answers are written to
        // places that live on; the lock is held.
        let known = unsafe {
            H5Dget_chunk_info_by_coord(
                self.handle.id,
                offset.as_ptr(),
                &mut mask,
                &mut begin,
                &mut bytes,
            ) >= 0
        };
        let written = begin != HADDR_UNDEF && bytes > 0;
        known.then(|| match written {
            true => ChunkPlace { begin, bytes, mask },
            false => ChunkPlace::default(),
        })
    }

    /// Stores a chunk, all filters applied; tells at which of two places in the file it lies, most likely, if it is stored.
    ///
    /// HDF5 puts a chunk at the end of the file, its own pages before or behind it.
    pub(super) fn write_chunk(
        &self,
        file: &RawFile,
        offset: &[usize],
        bytes: &[u8],
    ) -> Option<[u64; 2]> {
        silence_hdf5();
        let offset = self.offset(offset);
        let _lock = LOCK.lock();
        let before = file.end();
        // SAFETY: the dataset is open, the offset has one number for each of its dimensions, and the bytes are there and
        // as many as stated; the lock is held.
        let done = unsafe {
            H5Dwrite_chunk(
                self.handle.id,
                H5P_DEFAULT,
                0,
                offset.as_ptr(),
                bytes.len(),
                bytes.as_ptr().cast(),
            )
        };
        (done >= 0).then(|| [before, file.end().saturating_sub(bytes.len() as u64)])
    }

    /// Gives an array that may grow its lengths; tells whether it has them.
    pub(super) fn set_shape(&self, shape: &[usize]) -> bool {
        silence_hdf5();
        let shape = self.offset(shape);
        let _lock = LOCK.lock();
        // SAFETY: the dataset is open, and the shape has one number for each of its dimensions; the lock is held.
        unsafe { H5Dset_extent(self.handle.id, shape.as_ptr()) >= 0 }
    }

    /// One number for each dimension, as HDF5 takes them; the rest is zero.
    fn offset(&self, cells: &[usize]) -> [hsize_t; MOST_DIMENSIONS] {
        assert_eq!(cells.len(), self.rank, "one number for each dimension");
        let mut offset = [0; MOST_DIMENSIONS];
        for (place, &cell) in offset.iter_mut().zip(cells) {
            *place = cell as hsize_t;
        }
        offset
    }
}

fn to_usize(lengths: &[hsize_t]) -> Option<Vec<usize>> {
    lengths.iter().map(|&n| usize::try_from(n).ok()).collect()
}

/// The plain number type that a stored type is, and whether it is big-endian. The lock has to be held.
fn number_type(stored: &Handle) -> Option<(DataType, bool)> {
    let known = [
        (DataType::I8, *h5t::H5T_STD_I8LE, *h5t::H5T_STD_I8BE),
        (DataType::U8, *h5t::H5T_STD_U8LE, *h5t::H5T_STD_U8BE),
        (DataType::I16, *h5t::H5T_STD_I16LE, *h5t::H5T_STD_I16BE),
        (DataType::U16, *h5t::H5T_STD_U16LE, *h5t::H5T_STD_U16BE),
        (DataType::I32, *h5t::H5T_STD_I32LE, *h5t::H5T_STD_I32BE),
        (DataType::U32, *h5t::H5T_STD_U32LE, *h5t::H5T_STD_U32BE),
        (DataType::I64, *h5t::H5T_STD_I64LE, *h5t::H5T_STD_I64BE),
        (DataType::U64, *h5t::H5T_STD_U64LE, *h5t::H5T_STD_U64BE),
        (DataType::F32, *h5t::H5T_IEEE_F32LE, *h5t::H5T_IEEE_F32BE),
        (DataType::F64, *h5t::H5T_IEEE_F64LE, *h5t::H5T_IEEE_F64BE),
    ];
    // SAFETY: both types are open, HDF5's own as long as it runs; the caller holds the lock.
    let same = |id| unsafe { H5Tequal(stored.id, id) > 0 };
    known.into_iter().find_map(|(data_type, little, big)| {
        let big_endian = if same(little) {
            Some(false)
        } else {
            same(big).then_some(true)
        };
        Some((data_type, big_endian?))
    })
}

/// One filter of a creation list. The lock has to be held.
fn filter(plist: &Handle, index: c_uint) -> Option<Filter> {
    let mut parameters = [0; MOST_PARAMETERS];
    let mut count = MOST_PARAMETERS;
    let mut name: [c_char; 64] = [0; 64];
    let (mut flags, mut config) = (0, 0);
    // SAFETY: the list is open, and every pointer leads to a place that lives on, as long as is stated beside it; the
    // caller holds the lock.
    let id = unsafe {
        H5Pget_filter2(
            plist.id,
            index,
            &mut flags,
            &mut count,
            parameters.as_mut_ptr(),
            name.len() - 1,
            name.as_mut_ptr(),
            &mut config,
        )
    };
    if id < 0 {
        return None;
    }
    // HDF5 leaves the last byte, which is zero, as it is.
    let name: Vec<u8> = name
        .iter()
        .map(|&c| c as u8)
        .take_while(|&c| c != 0)
        .collect();
    Some(Filter {
        id,
        name: String::from_utf8_lossy(&name).into_owned(),
        parameters: parameters[..count.min(MOST_PARAMETERS)].to_vec(),
        // SAFETY: any number may be asked for; the caller holds the lock.
        available: unsafe { H5Zfilter_avail(id) } > 0,
    })
}
