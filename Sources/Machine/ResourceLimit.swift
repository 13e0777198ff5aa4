import Glibc

/// A limit that the kernel puts on this process (getrlimit(2)).
package enum ResourceLimit: String, Sendable, CaseIterable {
  case openFiles = "open files"
  case lockedMemory = "locked memory"
  case coreFile = "core file"

  /// The limit in force; `nil`: there is none.
  package func value() throws(MachineError) -> UInt64? {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(code), &limit) == 0 else {
      throw .system(call: "getrlimit", subject: rawValue, code: errno)
    }
    return limit.rlim_cur == rlim_t.max ? nil : UInt64(limit.rlim_cur)
  }

  private var code: UInt32 {
    switch self {
    case .openFiles: RLIMIT_NOFILE.rawValue
    case .lockedMemory: UInt32(__RLIMIT_MEMLOCK.rawValue)
    case .coreFile: RLIMIT_CORE.rawValue
    }
  }
}
