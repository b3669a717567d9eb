//! How freed memory goes back to the system.
//!
//! glibc maps large blocks by themselves, and gives them back when they are freed; but every one freed
//! raises the size from which it does so, and what is below stays with the process. A conversion holds
//! the file, what it unpacks to, the model and the written lists one after the other, so its peak would
//! be most of their sum. Elsewhere the allocator is left as it is: what runs models allocates once.
#![allow(unsafe_code)]

/// From now on blocks of 64 KiB and more go back to the system when they are freed.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn give_back_what_is_freed() {
    const FROM: libc::c_int = 64 * 1024;
    for parameter in [libc::M_MMAP_THRESHOLD, libc::M_TRIM_THRESHOLD] {
        // SAFETY: `mallopt` takes two integers and touches nothing but the allocator's own settings.
        // Both parameters take a number of bytes; one that it will not have it leaves as it was.
        unsafe { libc::mallopt(parameter, FROM) };
    }
}

/// Other allocators are left as they are.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn give_back_what_is_freed() {}
