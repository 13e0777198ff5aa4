import MessageFormat
import Sealing
import Sodium
import Testing

/// A sealed message as its reader sees it.
struct Opening {
  let body: [UInt8]
  let signer: PublicIdentity
  let statement: Statement
  let payload: [UInt8]

  /// All that a reader does before it looks at the message itself.
  init(
    _ chunks: [[UInt8]], for reader: Identity, trusting trusted: [PublicIdentity],
    type: String = Message.statementType
  ) throws(SealingError) {
    self = try Self.open(chunks, reader, trusted, type)
  }

  private init(
    body: [UInt8], signer: PublicIdentity, statement: Statement, payload: [UInt8]
  ) {
    (self.body, self.signer, self.statement, self.payload) = (body, signer, statement, payload)
  }

  private static func open(
    _ chunks: [[UInt8]], _ reader: Identity, _ trusted: [PublicIdentity], _ type: String
  ) throws(SealingError) -> Opening {
    var unsealer = try Unsealer(header: chunks[0], for: reader)
    let first = try unsealer.open(chunks[1], isLast: chunks.count == 2)
    let statement = try decoded(first)
    let (body, signer) = try statement.verified(type: type, by: trusted)
    var payload: [UInt8] = []
    for index in chunks.indices.dropFirst(2) {
      payload += try unsealer.open(chunks[index], isLast: index + 1 == chunks.count)
    }
    return Opening(body: body, signer: signer, statement: statement, payload: payload)
  }

  private static func decoded(_ bytes: [UInt8]) throws(SealingError) -> Statement {
    do throws(FormatError) { return try Statement(decoding: bytes) } catch {
      throw .malformed(error)
    }
  }
}

extension SealingError {
  /// As the headers of the vectors name it.
  var kind: String {
    switch self {
    case .malformed(let error): error.isOverLimit ? "over-limit" : "malformed"
    case .notARecipient: "not-a-recipient"
    case .tampered(let chunk): "tampered \(chunk)"
    case .unknownSigner: "unknown-signer"
    case .badSignature: "bad-signature"
    case .wrongType: "wrong-type"
    case .wrongPayload: "wrong-payload"
    }
  }
}

/// Machines and a message between them.
struct Correspondence {
  let signer = identity("signer")
  let reader = identity("web1")
  let other = identity("web2")

  /// With payload chunks of these sizes.
  func sealed(
    to recipients: [PublicIdentity]? = nil, payload sizes: [Int] = [131_055, 131_055, 7],
    statement: Statement? = nil
  ) throws -> [[UInt8]] {
    var sealer = Sealer(for: recipients ?? [reader.public, other.public])
    let statement =
      try statement
      ?? Statement.signed(body, type: Message.statementType, by: signer)
    var chunks = [sealer.header, sealer.seal(statement, isLast: sizes.isEmpty)]
    for (index, size) in sizes.enumerated() {
      let content = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ index) }
      chunks.append(sealer.seal(content, isLast: index + 1 == sizes.count))
    }
    return chunks
  }

  let body: [UInt8] = Array("what is signed".utf8)

  func open(_ chunks: [[UInt8]]) throws(SealingError) -> Opening {
    try Opening(chunks, for: reader, trusting: [signer.public])
  }

  /// How far an opener comes: which chunk it says is wrong.
  func expectTampered(
    _ chunk: UInt32, _ chunks: [[UInt8]], at location: SourceLocation = #_sourceLocation
  ) {
    #expect(throws: SealingError.tampered(chunk: chunk), sourceLocation: location) {
      try open(chunks)
    }
  }
}

func identity(_ name: String) -> Identity {
  do throws(SodiumError) {
    return Identity(generating: try IdentityName(name))
  } catch {
    preconditionFailure("\(error)")
  }
}
