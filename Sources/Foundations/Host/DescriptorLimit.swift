import Glibc

/// How many descriptors this process may have: one for each connection, and a few.
package enum DescriptorLimit {
  /// Up to what the system allows us (getrlimit(2)); answers how many that is.
  @discardableResult
  package static func raise() throws(HostError) -> UInt64 {
    var limit = rlimit(rlim_cur: 0, rlim_max: 0)
    let name = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard unsafe getrlimit(name, &limit) == 0 else {
      throw .system(call: "getrlimit", subject: "open files", code: errno)
    }
    limit.rlim_cur = limit.rlim_max
    guard unsafe setrlimit(name, &limit) == 0 else {
      throw .system(call: "setrlimit", subject: "open files", code: errno)
    }
    return UInt64(limit.rlim_cur)
  }
}
