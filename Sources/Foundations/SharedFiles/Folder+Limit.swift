import Glibc

extension Folder {
  /// How large a file may grow in it: by its file system (pathconf(3)) and by this process's own limit (getrlimit(2));
  /// `nil`: neither is in the way.
  package var fileByteCountMax: UInt64? {
    let bits = withDescriptor { fpathconf($0, Int32(_PC_FILESIZEBITS)) }
    // FAT32 counts in 32 bits, and ends one byte before.
    let ofSystem: UInt64? = bits == 32 ? UInt64(UInt32.max) : nil
    var limit = rlimit()
    let isLimited = unsafe getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0
    let ofProcess = isLimited && limit.rlim_cur != rlim_t.max ? UInt64(limit.rlim_cur) : nil
    return [ofSystem, ofProcess].compactMap { $0 }.min()
  }
}
