import Sodium
import Testing

@Suite struct SealingTests {
  private let header = bytes(hex: Vectors.header)

  private func knownOpener() throws -> ChunkOpener {
    let key = try Vectors.identity().openSealed(wrapped: bytes(hex: Vectors.wrapped))
    return ChunkOpener(key: key, header: header)
  }

  @Test func `opens what another implementation sealed`() throws {
    var opener = try knownOpener()
    for (index, chunk) in Vectors.chunks.enumerated() {
      let opened = try opener.open(
        bytes(hex: chunk.sealed).span, additionalData: Array(chunk.additionalData.utf8))
      #expect(opened.content == Array(chunk.content.utf8))
      #expect(opened.tag == (index == 2 ? .final : .message))
    }
    let isFinished = opener.isFinished
    #expect(isFinished)
  }

  @Test func `wraps key for its recipient alone`() throws {
    let recipient = Identity(generating: try IdentityName("web1"))
    let other = Identity(generating: try IdentityName("web2"))
    let key = ContentKey(generating: ())
    let wrapped = recipient.public.seal(key)
    #expect(wrapped.count == ContentKey.wrappedByteCount)
    #expect(recipient.public.seal(key) != wrapped)
    var sealer = ChunkSealer(key: key)
    let chunk = sealer.seal([1, 2, 3].span, additionalData: [9], as: .final)
    let again = try recipient.openSealed(wrapped: wrapped)
    var opener = ChunkOpener(key: again, header: sealer.header)
    #expect(try opener.open(chunk.span, additionalData: [9]).content == [1, 2, 3])
    #expect(throws: SodiumError.notSealedToUs) { _ = try other.openSealed(wrapped: wrapped) }
  }

  @Test func `refuses wrapped key with any byte changed`() throws {
    let identity = try Vectors.identity()
    let known = bytes(hex: Vectors.wrapped)
    for index in known.indices {
      var changed = known
      changed[index] ^= 1
      #expect(throws: SodiumError.notSealedToUs) { _ = try identity.openSealed(wrapped: changed) }
    }
  }

  @Test(arguments: [0, 48, 79, 81]) func `refuses wrapped key of other length`(count: Int) throws {
    let identity = try Vectors.identity()
    let known = bytes(hex: Vectors.wrapped) + [0]
    #expect(throws: SodiumError.notSealedToUs) {
      _ = try identity.openSealed(wrapped: Array(known.prefix(count)))
    }
  }

  @Test func `refuses chunk with any byte changed and goes on with the right one`() throws {
    var opener = try knownOpener()
    let chunk = bytes(hex: Vectors.chunks[0].sealed)
    let data = Array(Vectors.chunks[0].additionalData.utf8)
    for index in chunk.indices {
      var changed = chunk
      changed[index] ^= 0x10
      #expect(throws: SodiumError.chunkNotAuthentic) {
        try opener.open(changed.span, additionalData: data)
      }
    }
    #expect(try opener.open(chunk.span, additionalData: data).content.count == 11)
  }

  @Test(arguments: 0..<28) func `refuses chunk cut short`(count: Int) throws {
    var opener = try knownOpener()
    let chunk = Array(bytes(hex: Vectors.chunks[0].sealed).prefix(count))
    #expect(throws: SodiumError.chunkNotAuthentic) {
      try opener.open(chunk.span, additionalData: Array("one".utf8))
    }
  }

  @Test func `refuses other additional data order header and repetition`() throws {
    let first = bytes(hex: Vectors.chunks[0].sealed)
    let second = bytes(hex: Vectors.chunks[1].sealed)
    let data = Array("one".utf8)
    var opener = try knownOpener()
    #expect(throws: SodiumError.chunkNotAuthentic) {
      try opener.open(first.span, additionalData: Array("two".utf8))
    }
    #expect(throws: SodiumError.chunkNotAuthentic) {
      try opener.open(second.span, additionalData: [])
    }
    _ = try opener.open(first.span, additionalData: data)
    #expect(throws: SodiumError.chunkNotAuthentic) {
      try opener.open(first.span, additionalData: data)
    }
    let key = try Vectors.identity().openSealed(wrapped: bytes(hex: Vectors.wrapped))
    var stranger = ChunkOpener(key: key, header: [0] + header.dropFirst())
    #expect(throws: SodiumError.chunkNotAuthentic) {
      try stranger.open(first.span, additionalData: data)
    }
  }

  @Test func `refuses chunk after the final one`() throws {
    var opener = try knownOpener()
    for chunk in Vectors.chunks {
      _ = try opener.open(
        bytes(hex: chunk.sealed).span, additionalData: Array(chunk.additionalData.utf8))
    }
    #expect(throws: SodiumError.chunkAfterFinal) {
      try opener.open(bytes(hex: Vectors.chunks[1].sealed).span, additionalData: [])
    }
  }

  @Test func `leaves output as it was when a chunk does not open`() throws {
    var opener = try knownOpener()
    let chunk = bytes(hex: Vectors.chunks[0].sealed)
    var output: [UInt8] = [1, 2]
    #expect(throws: SodiumError.chunkNotAuthentic) {
      try output.append(addingCapacity: 64) { span throws(SodiumError) in
        _ = try opener.open(chunk.span, additionalData: [], into: &span)
      }
    }
    #expect(output == [1, 2])
    try output.append(addingCapacity: 64) { span throws(SodiumError) in
      _ = try opener.open(chunk.span, additionalData: Array("one".utf8), into: &span)
    }
    #expect(output == [1, 2] + Array("first chunk".utf8))
  }

  @Test(arguments: [0, 1, 15, 16, 17, 131_055]) func `carries content of any length`(count: Int)
    throws
  {
    let content = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let key = ContentKey(generating: ())
    var sealer = ChunkSealer(key: key)
    var opener = ChunkOpener(key: key, header: sealer.header)
    for tag in [ChunkTag.message, .message, .final] {
      let chunk = sealer.seal(content.span, additionalData: [], as: tag)
      #expect(chunk.count == count + ChunkStream.overheadByteCount)
      let opened = try opener.open(chunk.span, additionalData: [])
      #expect(opened.content == content && opened.tag == tag)
    }
  }
}
