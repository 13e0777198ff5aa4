import MessageFormat
import Sealing
import Sodium
import Testing

/// What anyone between signer and applier can do to a sealed message, and where it shows.
@Suite struct TamperingTests {
  private let machines = Correspondence()

  @Test(arguments: [[], [1], [131_055], [131_055, 1], [131_055, 131_055, 7]])
  func `opens what was sealed`(sizes: [Int]) throws {
    let chunks = try machines.sealed(payload: sizes)
    #expect(chunks.count == 2 + sizes.count)
    for (chunk, size) in zip(chunks.dropFirst(2), sizes) {
      #expect(chunk.count == size + Limits.chunkOverheadByteCount)
    }
    for reader in [machines.reader, machines.other] {
      let opening = try Opening(chunks, for: reader, trusting: [machines.signer.public])
      #expect(opening.body == machines.body)
      #expect(opening.signer == machines.signer.public)
      #expect(opening.payload.count == sizes.reduce(0, +))
    }
  }

  @Test func `seals the same twice into nothing in common`() throws {
    let (first, second) = try (machines.sealed(), machines.sealed())
    #expect(MessageID(ofHeader: first[0]) != MessageID(ofHeader: second[0]))
    for (left, right) in zip(first, second) { #expect(left != right) }
  }

  @Test func `refuses every changed byte of the statement`() throws {
    let chunks = try machines.sealed(payload: [3])
    for index in chunks[1].indices {
      var changed = chunks
      changed[1][index] ^= 1 << UInt8(index % 8)
      machines.expectTampered(1, changed)
    }
  }

  @Test(arguments: 2...4) func `refuses changed payload`(chunk: Int) throws {
    let chunks = try machines.sealed()
    for index in [0, 1, chunks[chunk].count / 2, chunks[chunk].count - 1] {
      var changed = chunks
      changed[chunk][index] ^= 0x80
      machines.expectTampered(UInt32(chunk), changed)
    }
  }

  /// Whatever the header becomes: other than before, it has another id, and nothing opens under it.
  @Test func `refuses every changed byte of the header`() throws {
    let chunks = try machines.sealed(payload: [3])
    for index in chunks[0].indices {
      var changed = chunks
      changed[0][index] ^= 1 << UInt8(index % 8)
      do throws(SealingError) {
        _ = try machines.open(changed)
        Issue.record("opens with byte \(index) of the header changed")
      } catch {
        switch error {
        case .malformed, .notARecipient, .tampered(chunk: 0), .tampered(chunk: 1): break
        default: Issue.record("byte \(index): \(error)")
        }
      }
    }
  }

  @Test func `refuses recipient taken out or put in`() throws {
    let chunks = try machines.sealed(payload: [3])
    let header = try SealedHeader(decoding: chunks[0])
    let ours = header.recipients.filter { $0.mailbox == machines.reader.public.mailbox }
    let alone = SealedHeader(streamHeader: header.streamHeader, recipients: ours)
    machines.expectTampered(1, [alone.encoded()] + chunks.dropFirst())
    let stranger = SealedHeader.Recipient(
      mailbox: identity("stranger").public.mailbox,
      wrappedKey: [UInt8](repeating: 1, count: Limits.wrappedKeyByteCount))
    let more = SealedHeader(
      streamHeader: header.streamHeader, recipients: header.recipients + [stranger])
    machines.expectTampered(1, [more.encoded()] + chunks.dropFirst())
  }

  @Test func `refuses wrapped key of another recipient`() throws {
    let chunks = try machines.sealed(payload: [3])
    let header = try SealedHeader(decoding: chunks[0])
    let (first, second) = (header.recipients[0], header.recipients[1])
    let exchanged = SealedHeader(
      streamHeader: header.streamHeader,
      recipients: [
        .init(mailbox: first.mailbox, wrappedKey: second.wrappedKey),
        .init(mailbox: second.mailbox, wrappedKey: first.wrappedKey),
      ])
    machines.expectTampered(0, [exchanged.encoded()] + chunks.dropFirst())
  }

  @Test func `refuses chunks in another order`() throws {
    let chunks = try machines.sealed()
    for (left, right) in [(1, 2), (2, 3), (3, 4), (2, 4), (1, 4)] {
      var changed = chunks
      changed.swapAt(left, right)
      machines.expectTampered(UInt32(left), changed)
    }
  }

  @Test func `refuses chunk that is repeated or left out`() throws {
    let chunks = try machines.sealed()
    for index in 1..<chunks.count {
      var repeated = chunks
      repeated.insert(chunks[index], at: index)
      // A last chunk that is not at the end shows at its first place.
      let place = index + 1 < chunks.count ? index + 1 : index
      machines.expectTampered(UInt32(place), repeated)
      guard index + 1 < chunks.count else { continue }
      var shorter = chunks
      shorter.remove(at: index)
      machines.expectTampered(UInt32(index), shorter)
    }
  }

  @Test func `refuses message that is cut off`() throws {
    let chunks = try machines.sealed()
    for count in 2..<chunks.count {
      machines.expectTampered(UInt32(count - 1), Array(chunks.prefix(count)))
    }
    for count in [0, 1, 16, 17, 100] {
      var changed = chunks
      changed[4] = Array(chunks[4].prefix(count))
      if changed[4].count == chunks[4].count { continue }
      machines.expectTampered(4, changed)
    }
  }

  @Test func `refuses message that goes on`() throws {
    let chunks = try machines.sealed(payload: [])
    machines.expectTampered(1, chunks + [chunks[1]])
    machines.expectTampered(1, chunks + [[UInt8](repeating: 0, count: 100)])
  }

  @Test func `refuses chunks of two messages`() throws {
    let (first, second) = try (machines.sealed(), machines.sealed())
    for index in 1..<first.count {
      var mixed = first
      mixed[index] = second[index]
      machines.expectTampered(UInt32(index), mixed)
    }
    machines.expectTampered(1, [second[0]] + first.dropFirst())
    machines.expectTampered(1, [first[0]] + second.dropFirst())
  }

  @Test func `refuses identity that it was not sealed for`() throws {
    let chunks = try machines.sealed()
    #expect(throws: SealingError.notARecipient) {
      try Opening(chunks, for: identity("stranger"), trusting: [machines.signer.public])
    }
  }

  @Test(arguments: [[], [0xff], [UInt8](repeating: 0, count: 1_000)])
  func `refuses what is no header`(
    bytes: [UInt8]
  ) {
    do throws(SealingError) {
      _ = try machines.open([bytes, []])
      Issue.record("it opens")
    } catch {
      #expect(error.kind == "malformed")
    }
  }
}
