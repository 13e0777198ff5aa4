import Sodium
import Testing

@Suite struct DigestTests {
  static let known: [(content: [UInt8], digest: String)] = [
    ([], "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"),
    (Array("abc".utf8), "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"),
    (
      (0..<200_000).map { UInt8(truncatingIfNeeded: $0) },
      "9d24fa7f3e2c024e9357ad884645de8cfaf3ec8114ce28cfedcbd6f77b8c30c6"
    ),
  ]

  @Test(arguments: known) func `computes what others compute`(content: [UInt8], digest: String) {
    #expect(Digest(of: content).hex == digest)
  }

  @Test(arguments: [1, 127, 128, 129, 65_536]) func `computes the same in pieces`(
    pieceByteCount: Int
  ) {
    let content = Self.known[2].content
    var hasher = DigestHasher()
    for start in stride(from: 0, to: content.count, by: pieceByteCount) {
      let end = min(start + pieceByteCount, content.count)
      hasher.update(content.span.extracting(start..<end))
    }
    #expect(hasher.finalize() == Digest(of: content))
  }

  @Test func `differs in any byte`() {
    let digest = Digest(of: [1, 2, 3])
    for index in digest.bytes.indices {
      var bytes = digest.bytes
      bytes[index] ^= 0x80
      #expect(Digest(bytes: bytes) != digest)
    }
    #expect(Digest(bytes: digest.bytes) == digest)
  }

  @Test(arguments: [0, 31, 33]) func `refuses other lengths`(count: Int) {
    let bytes = [UInt8](repeating: 7, count: count)
    #expect(Digest(bytes: bytes) == nil)
    #expect(Fingerprint(bytes: bytes) == nil)
    #expect(Signature(bytes: bytes) == nil)
  }
}
