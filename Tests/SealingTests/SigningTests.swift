import MessageFormat
import Sealing
import Sodium
import Testing

@Suite struct SigningTests {
  private let machines = Correspondence()

  private func signed(
    by signer: Identity, as type: String = Message.statementType
  ) throws -> Statement {
    try Statement.signed(machines.body, type: type, by: signer)
  }

  @Test func `gives the body and who of the trusted signed it`() throws {
    let statement = try signed(by: machines.signer)
    let trusted = [machines.other.public, machines.signer.public, machines.reader.public]
    let verified = try statement.verified(type: Message.statementType, by: trusted)
    #expect(verified.body == machines.body)
    #expect(verified.signer == machines.signer.public)
  }

  @Test func `refuses signer who is not trusted`() throws {
    let statement = try signed(by: machines.signer)
    for trusted in [[], [machines.other.public]] {
      #expect(throws: SealingError.unknownSigner(machines.signer.public.mailbox)) {
        try statement.verified(type: Message.statementType, by: trusted)
      }
    }
  }

  @Test func `refuses signature of one under the name of another`() throws {
    let stranger = try signed(by: identity("stranger"))
    let forged = Statement(
      type: stranger.type, body: stranger.body,
      signatures: [
        .init(signer: machines.signer.public.mailbox, bytes: stranger.signatures[0].bytes)
      ])
    #expect(throws: SealingError.badSignature) {
      try forged.verified(type: Message.statementType, by: [machines.signer.public])
    }
  }

  @Test func `refuses every changed byte of body and signature`() throws {
    let statement = try signed(by: machines.signer)
    func expectRefused(_ body: [UInt8], _ signature: [UInt8]) {
      let changed = Statement(
        type: statement.type, body: body,
        signatures: [.init(signer: machines.signer.public.mailbox, bytes: signature)])
      #expect(throws: SealingError.badSignature) {
        try changed.verified(type: Message.statementType, by: [machines.signer.public])
      }
    }
    let signature = statement.signatures[0].bytes
    for index in statement.body.indices {
      var body = statement.body
      body[index] ^= 1
      expectRefused(body, signature)
    }
    for index in signature.indices {
      var changed = signature
      changed[index] ^= 1
      expectRefused(statement.body, changed)
    }
    expectRefused(statement.body + [0], signature)
    expectRefused(statement.body.dropLast(), signature)
  }

  @Test func `refuses statement of another type`() throws {
    let statement = try signed(by: machines.signer, as: Receipt.statementType)
    #expect(throws: SealingError.wrongType(Receipt.statementType)) {
      try statement.verified(type: Message.statementType, by: [machines.signer.public])
    }
    // Nor does another label on it help: the type is signed too.
    let relabelled = Statement(
      type: Message.statementType, body: statement.body, signatures: statement.signatures)
    #expect(throws: SealingError.badSignature) {
      try relabelled.verified(type: Message.statementType, by: [machines.signer.public])
    }
  }

  @Test func `takes one good signature among others`() throws {
    let stranger = try signed(by: identity("stranger"))
    let good = try signed(by: machines.signer)
    let broken = Statement.Signature(
      signer: machines.signer.public.mailbox, bytes: [UInt8](repeating: 1, count: 64))
    let statement = Statement(
      type: good.type, body: good.body, signatures: stranger.signatures + [broken] + good.signatures
    )
    let verified = try statement.verified(
      type: Message.statementType, by: [machines.signer.public])
    #expect(verified.signer == machines.signer.public)
  }

  /// Whoever opens a message can seal it again, for others: what was signed stays what it was, and names its recipients.
  @Test func `passes signed statement on unchanged`() throws {
    let chunks = try machines.sealed(to: [machines.other.public], payload: [])
    let opening = try Opening(chunks, for: machines.other, trusting: [machines.signer.public])
    let forwarded = try machines.sealed(
      to: [machines.reader.public], payload: [], statement: opening.statement)
    #expect(try machines.open(forwarded).statement == opening.statement)
  }
}
