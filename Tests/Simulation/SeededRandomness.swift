import CSodium
import Glibc
import Synchronization
import TestSupport

/// Makes libsodium's and Swift's own randomness repeat: keys, message ids, pauses, and whatever order follows from them,
/// are a seed's own.
///
/// Only for a process that keeps no secret. Source: libsodium's documentation, "Custom RNG".
enum SeededRandomness {
  private static let generator = Mutex(SeededGenerator(seed: 0))

  nonisolated(unsafe) private static var implementation = randombytes_implementation(
    implementation_name: { UnsafePointer(name) },
    random: { SeededRandomness.number() }, stir: {}, uniform: nil,
    buf: { buffer, count in SeededRandomness.fill(buffer, count) }, close: { 0 })

  nonisolated(unsafe) private static let name = strdup("seeded")

  /// Before anything else is asked of libsodium.
  static func install() {
    precondition(randombytes_set_implementation(&implementation) == 0)
    // It takes some for itself, once.
    precondition(sodium_init() >= 0)
  }

  static func begin(seed: UInt64) { generator.withLock { $0 = SeededGenerator(seed: seed) } }

  private static func number() -> UInt32 {
    generator.withLock { UInt32(truncatingIfNeeded: $0.next()) }
  }

  fileprivate static func fill(_ buffer: UnsafeMutableRawPointer?, _ count: Int) {
    guard let buffer else { return }
    generator.withLock { generator in
      var offset = 0
      while offset < count {
        var word = generator.next()
        let length = min(8, count - offset)
        withUnsafeBytes(of: &word) { bytes in
          UnsafeMutableRawBufferPointer(start: buffer + offset, count: length)
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<length]))
        }
        offset += length
      }
    }
  }
}

/// Of pauses, apart from all other randomness.
final class SeededJitter: Sendable {
  private let generator: Mutex<SeededGenerator>

  init(_ seed: UInt64) { generator = Mutex(SeededGenerator(seed: ~seed)) }

  func next() -> Double { generator.withLock { .random(in: 0.5...1, using: &$0) } }
}

/// What `SystemRandomNumberGenerator` asks: the program's symbol goes before the one of Swift's library.
@_cdecl("swift_stdlib_random")
func seededSystemRandom(_ buffer: UnsafeMutableRawPointer?, _ count: Int) {
  SeededRandomness.fill(buffer, count)
}
