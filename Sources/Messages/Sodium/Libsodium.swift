import CSodium
import Glibc

/// The library as a whole. Whatever allocates or computes with it asks for `isReady` first:
/// `sodium_malloc` before `sodium_init` aborts the process.
package enum Libsodium {
  static let isReady = sodium_init() >= 0

  /// Traps where libsodium has no source of randomness: no key may then exist.
  static func requireReady() {
    precondition(isReady, "libsodium could not be initialised")
  }

  /// Keeps this process and its children from writing core files: they would hold what was
  /// decrypted. Secret bytes themselves never are in one, `sodium_malloc` excludes its pages
  /// (madvise(2), MADV_DONTDUMP).
  package static func forbidCoreDumps() throws(SodiumError) {
    var limit = rlimit(rlim_cur: 0, rlim_max: 0)
    guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) == 0 else {
      throw .system(call: "setrlimit", subject: "RLIMIT_CORE", code: errno)
    }
  }
}
