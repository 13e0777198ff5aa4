import MessageFormat
import Sealing
import Sodium
import Testing

/// The one way of a body into a sealed message and out of it.
@Suite struct EnvelopeTests {
  /// A body of the smallest kind.
  private struct Note: StatementBody, Equatable {
    static let statementType = "application/vnd.distro.test-note.v1"
    let author: Mailbox
    let text: String

    init(by author: Identity, _ text: String) {
      (self.author, self.text) = (author.public.mailbox, text)
    }

    func encoded() -> [UInt8] { author.bytes + Array(text.utf8) }

    init(decoding bytes: [UInt8]) throws(FormatError) {
      guard let author = Mailbox(Array(bytes.prefix(32))) else { throw .notCanonical("note") }
      self.author = author
      text = String(decoding: bytes.dropFirst(32), as: UTF8.self)
    }
  }

  private let machines = Correspondence()

  private func sealed(
    _ note: Note, by identity: Identity? = nil, payload: PayloadBuffer? = nil
  ) throws -> (offer: DepositOffer, chunks: [[UInt8]]) {
    let envelope = try Envelope.seal(
      note, payload: payload, by: identity ?? machines.signer, for: [machines.reader.public])
    let offer = envelope.offer
    var chunks: [[UInt8]] = []
    try envelope.write(to: { chunks.append($0) })
    return (offer, chunks)
  }

  private func open(_ chunks: [[UInt8]], named id: MessageID) throws -> Verified<Note> {
    try Envelope.open(
      Note.self, in: ChunkList(chunks), named: id, for: machines.reader,
      trusting: [machines.other.public, machines.signer.public])
  }

  @Test func `a body comes out as it went in, with who said it`() throws {
    let note = Note(by: machines.signer, "all is well")
    let (offer, chunks) = try sealed(note)
    #expect(offer.size.chunkCount == UInt32(chunks.count))
    #expect(offer.size.byteCount == chunks.reduce(0) { $0 + UInt64($1.count) })
    #expect(offer.mailboxes == [machines.reader.public.mailbox])
    let verified = try open(chunks, named: offer.id)
    #expect(verified.body == note)
    #expect(verified.author == machines.signer.public)
    #expect(verified.digest == ContentDigest(of: note.encoded()))
  }

  @Test func `a body that names another author than its signer is refused`() throws {
    let (offer, chunks) = try sealed(Note(by: machines.other, "not mine"))
    #expect(throws: SealingError.badSignature) { try open(chunks, named: offer.id) }
  }

  @Test func `a message that comes under another name is refused`() throws {
    let (_, chunks) = try sealed(Note(by: machines.signer, "one"))
    let (other, _) = try sealed(Note(by: machines.signer, "two"))
    #expect(throws: SealingError.tampered(chunk: 0)) { try open(chunks, named: other.id) }
  }

  @Test func `a body of one type is not read as another`() throws {
    let (offer, chunks) = try sealed(Note(by: machines.signer, "a note"))
    #expect(throws: SealingError.wrongType(Note.statementType)) {
      try Envelope.open(
        Receipt.self, in: ChunkList(chunks), named: offer.id, for: machines.reader,
        trusting: [machines.signer.public])
    }
  }

  @Test(arguments: [0, 1])
  func `a message without its header and statement is refused`(_ count: Int) throws {
    let (offer, chunks) = try sealed(Note(by: machines.signer, "short"))
    #expect(throws: SealingError.self) {
      try open(Array(chunks.prefix(count)), named: offer.id)
    }
  }

  @Test func `a payload where none is expected is refused`() throws {
    let payload = PayloadBuffer(directory: "/nonexistent")
    try payload.append([1, 2, 3])
    let (offer, chunks) = try sealed(Note(by: machines.signer, "more"), payload: payload)
    #expect(throws: SealingError.wrongPayload("3 chunks instead of 2")) {
      try open(chunks, named: offer.id)
    }
  }

  @Test(arguments: [1, 131_054, 131_055, 131_056, 300_000])
  func `a payload comes out whole, and only the one that is named`(_ byteCount: Int) throws {
    let content = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let payload = PayloadBuffer(directory: "/nonexistent")
    try payload.append(content)
    let digest = payload.finish()
    let (offer, chunks) = try sealed(Note(by: machines.signer, "with it"), payload: payload)
    func read(_ digest: ContentDigest, size: UInt64) throws -> [UInt8] {
      let envelope = try Envelope.open(
        ChunkList(chunks), named: offer.id, for: machines.reader)
      let out = try envelope.payload(
        PayloadDescription(kind: .pack, digest: digest, size: size, inflatedSize: 1),
        into: "/nonexistent")
      return try out.read(at: 0, count: Int(out.byteCount))
    }
    #expect(try read(digest, size: UInt64(byteCount)) == content)
    #expect(throws: SealingError.self) {
      try read(ContentDigest(of: [9]), size: UInt64(byteCount))
    }
    #expect(throws: SealingError.self) { try read(digest, size: UInt64(byteCount) + 1) }
  }
}
