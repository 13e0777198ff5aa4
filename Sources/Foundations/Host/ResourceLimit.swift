import Glibc

/// A limit that the kernel puts on this process (getrlimit(2)).
package enum ResourceLimit: String, Sendable, CaseIterable {
  case openFiles = "open files"
  case lockedMemory = "locked memory"
  case coreFile = "core file"

  /// `nil`: there is no limit. `hard`: up to which a process may raise its own.
  package func value(hard: Bool = false) throws(HostError) -> UInt64? {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(code), &limit) == 0 else {
      throw .system(call: "getrlimit", subject: rawValue, code: errno)
    }
    let value = hard ? limit.rlim_max : limit.rlim_cur
    return value == rlim_t.max ? nil : UInt64(value)
  }

  private var code: UInt32 {
    switch self {
    case .openFiles: RLIMIT_NOFILE.rawValue
    case .lockedMemory: UInt32(__RLIMIT_MEMLOCK.rawValue)
    case .coreFile: RLIMIT_CORE.rawValue
    }
  }
}
