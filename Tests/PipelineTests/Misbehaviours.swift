import CarrierProtocol
import MessageFormat
import Synchronization
import TestSupport

// What relays might do, each as a test wants it.
extension Misbehaviour {
  /// What a frame is, as people name it.
  enum Kind: String, Sendable, CaseIterable {
    case deposit, depositedChunk, collect, acknowledge
    case stored, delivery, deliveredChunk, empty, acknowledged

    init?(_ passage: Passage, isRequest: Bool) {
      let kind: Kind? =
        isRequest ? passage.request.flatMap(Kind.init) : passage.reply.flatMap(Kind.init)
      guard let kind else { return nil }
      self = kind
    }

    private init?(_ request: CarrierRequest) {
      switch request {
      case .deposit: self = .deposit
      case .chunk: self = .depositedChunk
      case .collect: self = .collect
      case .acknowledge: self = .acknowledge
      case .fetch: return nil
      }
    }

    private init?(_ reply: CarrierReply) {
      switch reply {
      case .stored: self = .stored
      case .delivery: self = .delivery
      case .chunk: self = .deliveredChunk
      case .empty: self = .empty
      case .acknowledged: self = .acknowledged
      case .proceed, .refused: return nil
      }
    }
  }

  static func dropping(_ kind: Kind) -> Misbehaviour {
    Misbehaviour(
      request: { Kind($0, isRequest: true) == kind ? [] : [.pass($0)] },
      reply: { Kind($0, isRequest: false) == kind ? [] : [$0] })
  }

  /// Notes how often each message is offered.
  static func dropping(
    _ kind: Kind, counting offers: Remembered<[MessageID: Int]>
  ) -> Misbehaviour {
    var behaviour = dropping(kind)
    behaviour.request = { passage in
      if case .deposit(let offer) = passage.request {
        offers.change { $0[offer.id, default: 0] += 1 }
      }
      return [.pass(passage)]
    }
    return behaviour
  }

  static let silence = Misbehaviour(reply: { _ in [] })

  static func duplicating(requests: Bool) -> Misbehaviour {
    requests
      ? Misbehaviour(request: { [.pass($0), .pass($0)] }) : Misbehaviour(reply: { [$0, $0] })
  }

  /// The first message that this identity deposits, and no heartbeat, stays away, whatever comes behind it.
  static func overtaking(of depositor: Mailbox) -> Misbehaviour {
    let first = Remembered<MessageID?>(nil)
    return Misbehaviour(request: { passage in
      guard passage.peer.mailbox == depositor, case .deposit(let offer) = passage.request,
        offer.size.chunkCount > 2
      else { return [.pass(passage)] }
      let held = first.change { first in
        first = first ?? offer.id
        return first
      }
      return held == offer.id ? [] : [.pass(passage)]
    })
  }

  /// Whatever a chunk of this number is changed into.
  static func changing(
    chunk number: UInt32, of reader: Mailbox, _ change: @escaping @Sendable ([UInt8]) -> [UInt8]
  ) -> Misbehaviour {
    Misbehaviour(reply: { passage in
      guard passage.peer.mailbox == reader, case .chunk(let name) = passage.reply,
        name.index == number
      else { return [passage] }
      return [Passage(.chunk(name), chunk: change(passage.frames[1]), to: passage.peer)]
    })
  }

  /// Each identity gets the mail of the next one.
  static func rotating(_ mailboxes: [Mailbox]) -> Misbehaviour {
    Misbehaviour(request: { passage in
      guard let index = mailboxes.firstIndex(of: passage.peer.mailbox) else { return [] }
      switch passage.request {
      case .collect, .fetch, .acknowledge:
        let peer = MailboxServer.Peer(
          routingID: passage.peer.routingID, mailbox: mailboxes[(index + 1) % mailboxes.count])
        return [.pass(Passage(peer: peer, frames: passage.frames))]
      case .deposit, .chunk, nil: return [.pass(passage)]
      }
    })
  }

  /// One mailbox's first whole message is all that its reader ever gets again, and nothing of its is taken.
  static func replaying(to reader: Mailbox) -> Misbehaviour {
    let message = Remembered<[(CarrierReply, [UInt8]?)]>([])
    return Misbehaviour(
      request: { passage in
        guard passage.peer.mailbox == reader else { return [.pass(passage)] }
        switch passage.request {
        case .collect:
          let known = message.change { $0 }
          guard !known.isEmpty else { return [.pass(passage)] }
          return known.map { .answer(Passage($0, chunk: $1, to: passage.peer)) }
        case .acknowledge(let entry):
          return [.answer(Passage(.acknowledged(entry), to: passage.peer))]
        case .deposit, .chunk: return []
        case .fetch, nil: return [.pass(passage)]
        }
      },
      reply: { passage in
        guard passage.peer.mailbox == reader, let reply = passage.reply else { return [passage] }
        message.change { known in
          if case .delivery(let entry, let size, _) = reply, size.chunkCount > 2 {
            known = [(.delivery(entry, size, more: false), nil)]
          }
          if case .chunk(let name) = reply, case .delivery(let entry, _, _)? = known.first?.0,
            entry.id == name.id
          {
            known.append((reply, passage.frames[1]))
          }
        }
        return [passage]
      })
  }

  /// Header of one message, the rest of the one before.
  static func mixing(for reader: Mailbox) -> Misbehaviour {
    let rest = Remembered<(old: [[UInt8]], new: [[UInt8]])>(([], []))
    return Misbehaviour(reply: { passage in
      guard passage.peer.mailbox == reader else { return [passage] }
      switch passage.reply {
      case .delivery(let entry, let size, let more):
        let old = rest.change { rest in
          rest = (rest.new, [])
          return rest.old
        }
        guard !old.isEmpty, size.chunkCount == old.count else { return [passage] }
        // The size of the header, which is the same for the same recipients.
        let byteCount = old.reduce(0) { $0 + UInt64($1.count) }
        let mixed = SealedSize(chunkCount: size.chunkCount, byteCount: byteCount)
        return [Passage(.delivery(entry, mixed, more: more), to: passage.peer)]
      case .chunk(let name):
        let old = rest.change { rest in
          rest.new.append(passage.frames[1])
          return rest.old
        }
        guard name.index > 0, Int(name.index) < old.count else { return [passage] }
        return [Passage(.chunk(name), chunk: old[Int(name.index)], to: passage.peer)]
      default: return [passage]
      }
    })
  }

  /// Says that it has stored what this identity hands over, and throws it away.
  static func losing(of depositor: Mailbox) -> Misbehaviour {
    Misbehaviour(request: { passage in
      guard passage.peer.mailbox == depositor else { return [.pass(passage)] }
      switch passage.request {
      case .deposit(let offer): return [.answer(Passage(.stored(offer.id), to: passage.peer))]
      case .chunk: return []
      default: return [.pass(passage)]
      }
    })
  }

  /// Says that it has removed what was acknowledged, and delivers it again.
  static let keepingWhatWasAcknowledged = Misbehaviour(request: { passage in
    switch passage.request {
    case .acknowledge(let entry):
      return [.answer(Passage(.acknowledged(entry), to: passage.peer))]
    case .collect(_, let credit, let wait):
      let all = CarrierRequest.collect(after: 0, credit: credit, waitMilliseconds: wait)
      return [.pass(Passage(peer: passage.peer, frames: [all.encoded()]))]
    default: return [.pass(passage)]
    }
  })

  static func renumbering(_ change: @escaping @Sendable (UInt64) -> UInt64) -> Misbehaviour {
    Misbehaviour(reply: { passage in
      guard case .delivery(let entry, let size, let more) = passage.reply else { return [passage] }
      let moved = MailboxEntry(position: change(entry.position), id: entry.id)
      return [Passage(.delivery(moved, size, more: more), to: passage.peer)]
    })
  }

  static let refusingAll = Misbehaviour(request: { passage in
    let id: MessageID? =
      switch passage.request {
      case .deposit(let offer): offer.id
      case .chunk(let name), .fetch(let name, _): name.id
      case .acknowledge(let entry): entry.id
      case .collect, nil: nil
      }
    return [.answer(Passage(.refused(id, .fault, mailboxes: [], detail: "no"), to: passage.peer))]
  })
}

/// What a misbehaviour remembers from one frame to the next.
final class Remembered<Value: Sendable>: Sendable {
  private let value: Mutex<Value>

  init(_ value: Value) { self.value = Mutex(value) }

  @discardableResult
  func change<Result: Sendable>(_ body: @Sendable (inout Value) -> Result) -> Result {
    value.withLock { body(&$0) }
  }
}
