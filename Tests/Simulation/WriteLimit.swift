import Glibc

/// A disk that takes nothing behind a certain offset of any file: writes fail in the middle of a step, at the same place
/// each time. No mount is needed, and only what `body` writes is concerned.
///
/// Source: setrlimit(2), RLIMIT_FSIZE.
enum WriteLimit {
  static func prepare() { signal(SIGXFSZ, SIG_IGN) }

  static func during<Result>(byteCount: UInt64?, _ body: () throws -> Result) rethrows -> Result {
    guard let byteCount else { return try body() }
    set(rlim_t(byteCount))
    defer { set(rlim_t.max) }
    return try body()
  }

  /// What is said of a run is no part of it.
  static func lifted(_ body: () -> Void) {
    var limit = rlimit()
    precondition(getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
    set(limit.rlim_max)
    defer { set(limit.rlim_cur) }
    body()
  }

  private static func set(_ byteCount: rlim_t) {
    var limit = rlimit(rlim_cur: byteCount, rlim_max: rlim_t.max)
    precondition(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
  }
}
