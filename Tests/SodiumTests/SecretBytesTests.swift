import Foundation
import Sodium
import Testing

@Suite struct SecretBytesTests {
  @Test func `holds what was put in`() {
    let secret = SecretBytes(capacity: 10) { output in
      for byte: UInt8 in [1, 2, 3] { output.append(byte) }
    }
    #expect(secret.byteCount == 3)
    #expect(secret.withBytes { copy($0) } == [1, 2, 3])
  }

  @Test func `makes other random bytes each time`() {
    let isEqual = SecretBytes(random: 32) == SecretBytes(random: 32)
    #expect(!isEqual)
  }

  @Test func `is equal only with the same bytes`() {
    let secret = SecretBytes(copying: [1, 2, 3].span)
    let equals = [[1, 2, 3], [1, 2, 4], [1, 2], [1, 2, 3, 0]].map { (bytes: [UInt8]) in
      secret == SecretBytes(copying: bytes.span)
    }
    #expect(equals == [true, false, false, false])
  }

  @Test func `passes on the error of its initializer`() {
    #expect(throws: SodiumError.interrupted) {
      _ = try SecretBytes(capacity: 1) { _ throws(SodiumError) in throw .interrupted }
    }
  }

  /// proc(5), /proc/pid/smaps: permissions, and among VmFlags dd (not in core dumps) and lo
  /// (locked).
  @Test(.enabled(if: mayLockPages, "nothing can be locked here"))
  func `lies in locked read only pages outside core dumps`() async {
    // In a process of its own: in this one, other tests' secrets may have taken all that may be locked.
    await #expect(processExitsWith: .success) {
      let secret = SecretBytes(random: 32)
      let found = try secret.withBytes { bytes in
        try unsafe bytes.withUnsafeBufferPointer {
          try Self.mapping(at: UInt(bitPattern: $0.baseAddress))
        }
      }
      let mapping = try #require(found)
      precondition(mapping.permissions == "r--p", "\(mapping.permissions)")
      precondition(Set(mapping.flags).isSuperset(of: ["dd", "lo"]), "\(mapping.flags)")
    }
  }

  /// The few pages of one secret.
  private static let mayLockPages: Bool = {
    var limit = rlimit()
    return unsafe getrlimit(__rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue), &limit) == 0
      && limit.rlim_cur >= 65_536
  }()

  @Test func `forbids core dumps`() throws {
    try Libsodium.forbidCoreDumps()
    var limit = rlimit()
    #expect(unsafe getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) == 0)
    #expect(limit.rlim_cur == 0 && limit.rlim_max == 0)
  }

  private static func mapping(
    at address: UInt
  ) throws -> (permissions: Substring, flags: [Substring])? {
    // Not by String(contentsOfFile:), which takes a short read for the end.
    let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/self/smaps"))
    let text = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
    var permissions: Substring?
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      if let permissions, words[0] == "VmFlags:" { return (permissions, Array(words.dropFirst())) }
      let ends = words[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
      if words.count >= 5, ends.count == 2, (ends[0]..<ends[1]).contains(address) {
        permissions = words[1]
      }
    }
    return nil
  }
}
