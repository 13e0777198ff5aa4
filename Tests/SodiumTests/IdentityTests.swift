import Sodium
import Testing

@Suite struct IdentityTests {
  @Test func `derives from a known seed the known keys`() throws {
    let identity = try Vectors.identity()
    #expect(identity.public.line == Vectors.line)
    #expect(identity.public.fingerprint.hex == Vectors.fingerprint)
    #expect(identity.public.fingerprint.abbreviated == String(Vectors.fingerprint.prefix(12)))
    #expect(identity.withTransportSecret { hex(copy($0)) } == Vectors.transportSecret)
  }

  @Test func `generates another identity each time`() throws {
    let name = try IdentityName("web1")
    let identities = (0..<8).map { _ in Identity(generating: name).public }
    let keys = identities.flatMap {
      [$0.signingKey.bytes, $0.sealingKey.bytes, $0.transportKey.bytes, $0.fingerprint.bytes]
    }
    #expect(Set(keys).count == 32)
  }

  @Test func `encodes type and body as DSSE does`() {
    #expect(Vectors.statement.bytes == Array(Vectors.encodedStatement.utf8))
    let empty = PreAuthenticationEncoding(type: "", body: [])
    #expect(empty.bytes == Array("DSSEv1 0  0 ".utf8))
    // Lengths count bytes, not characters.
    let umlaut = PreAuthenticationEncoding(type: "ü", body: [0xff])
    #expect(umlaut.bytes == Array("DSSEv1 2 ü 1 ".utf8) + [0xff])
  }

  @Test func `makes the known signature`() throws {
    let identity = try Vectors.identity()
    let signature = try identity.sign(Vectors.statement)
    #expect(hex(signature.bytes) == Vectors.signature)
    #expect(identity.public.verify(signature, over: Vectors.statement))
  }

  @Test func `refuses signature with any bit changed`() throws {
    let identity = try Vectors.identity().public
    let known = bytes(hex: Vectors.signature)
    for bit in 0..<known.count * 8 {
      var changed = known
      changed[bit / 8] ^= 1 << (bit % 8)
      let signature = try #require(Signature(bytes: changed))
      #expect(!identity.verify(signature, over: Vectors.statement))
    }
  }

  @Test func `refuses signature over other type or body`() throws {
    let identity = try Vectors.identity().public
    let signature = try #require(Signature(bytes: bytes(hex: Vectors.signature)))
    let type = "http://example.com/HelloWorld"
    let others = [
      PreAuthenticationEncoding(type: type, body: Array("hello worlD".utf8)),
      PreAuthenticationEncoding(type: type + " ", body: Array("hello world".utf8)),
      PreAuthenticationEncoding(type: type, body: []),
    ]
    for other in others { #expect(!identity.verify(signature, over: other)) }
  }

  @Test func `refuses signature of another identity`() throws {
    let other = Identity(generating: try IdentityName("vector")).public
    let signature = try #require(Signature(bytes: bytes(hex: Vectors.signature)))
    #expect(!other.verify(signature, over: Vectors.statement))
  }

  @Test func `signs from many tasks at once`() async throws {
    let identity = try Vectors.identity()
    let signatures = try await withThrowingTaskGroup(of: Signature.self) { group in
      for _ in 0..<50 { group.addTask { try identity.sign(Vectors.statement) } }
      return try await group.reduce(into: Set()) { $0.insert($1) }
    }
    #expect(signatures.map { hex($0.bytes) } == [Vectors.signature])
  }
}
