//! Keeps HDF5 from printing its own account of errors: they come back as values, and some are no errors at all.
//!
//! A thread-safe HDF5 prints unless each thread by itself tells it not to; netCDF does so for the first thread only. And
//! netCDF looks for attributes that most variables lack, so that a file opened on another thread prints pages of text
//! though nothing failed.

use std::cell::Cell;
use std::ptr;

use hdf5_metno_sys::LOCK;
use hdf5_metno_sys::h5e::{H5E_DEFAULT, H5Eset_auto2};

thread_local! {
    static SILENT: Cell<bool> = const { Cell::new(false) };
}

/// Silences HDF5 on this thread, from now on.
pub(super) fn silence_hdf5() {
    if SILENT.replace(true) {
        return;
    }
    let _lock = LOCK.lock();
    // SAFETY: the lock is the one under which the netcdf crate makes all its calls, so that no other call runs meanwhile;
    // no function and no data are handed over, so that nothing has to outlive this call.
    #[expect(unsafe_code, reason = "neither netCDF nor its crate offers this")]
    unsafe {
        H5Eset_auto2(H5E_DEFAULT, None, ptr::null_mut());
    }
}
