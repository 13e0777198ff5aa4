import BrokerCarrier
import IronMQ
import MessageFormat

/// A message on its way into one queue, in as many parts as it takes.
struct Publication {
  let number: UInt64
  let queue: QueueName
  var parts: ArraySlice<[UInt8]>
  /// Shares no request with others: one of them was too large together.
  var isAlone = false
}

/// One request's worth of publications for one queue: how many parts of each.
struct PublicationBatch {
  let queue: QueueName
  let content: PostBatch
  let counts: [(number: UInt64, count: Int)]
}

extension IronMQTraffic {
  func publish(_ publication: Publication) {
    state.withLock { $0.publications.append(publication) }
    publishing.ring()
  }

  /// Waits for something to publish; `nil`: the connection is over.
  func nextBatch(requestByteCount: Int) -> PublicationBatch? {
    while true {
      let (isOver, batch) = state.withLock { state in
        (state.isClosed || state.failure != nil, state.nextBatch(requestByteCount))
      }
      if isOver { return nil }
      if let batch { return batch }
      publishing.wait(for: nil)
    }
  }

  /// IronMQ has it on its disks.
  func posted(_ batch: PublicationBatch) {
    state.withLock { state in
      for (number, count) in batch.counts {
        guard let index = state.publications.firstIndex(where: { $0.number == number }) else {
          continue
        }
        state.publications[index].parts.removeFirst(count)
        guard state.publications[index].parts.isEmpty else { continue }
        state.publications.remove(at: index)
        state.events.append(.confirmed(PublicationNumbers(number)))
      }
    }
    bell.ring()
  }

  /// Which of a batch is refused shows when each is posted by itself.
  func separate(_ batch: PublicationBatch) {
    let numbers = Set(batch.counts.map(\.number))
    state.withLock { state in
      for index in state.publications.indices
      where numbers.contains(state.publications[index].number) {
        state.publications[index].isAlone = true
      }
    }
  }

  /// Nothing goes into that queue, or nothing of this batch.
  func refused(
    _ batch: PublicationBatch, _ reason: CarrierRefusal, _ detail: String, wholeQueue: Bool
  ) {
    let numbers = Set(batch.counts.map(\.number))
    state.withLock { state in
      for publication in state.publications
      where wholeQueue ? publication.queue == batch.queue : numbers.contains(publication.number) {
        state.events.append(.refused(PublicationNumbers(publication.number), reason, detail))
      }
      state.publications.removeAll {
        wholeQueue ? $0.queue == batch.queue : numbers.contains($0.number)
      }
    }
    bell.ring()
  }
}

extension IronMQTraffic.State {
  /// In the order of the publications; a queue whose turn it is takes as much as one request holds.
  fileprivate func nextBatch(_ requestByteCount: Int) -> PublicationBatch? {
    guard let first = publications.first else { return nil }
    var content = PostBatch(requestByteCount: requestByteCount)
    var counts: [(number: UInt64, count: Int)] = []
    for publication in publications where publication.queue == first.queue {
      guard counts.isEmpty || !(first.isAlone || publication.isAlone) else { break }
      let count = publication.parts.prefix { content.append($0) }.count
      if count > 0 { counts.append((publication.number, count)) }
      // Behind a part that did not fit, nothing overtakes it.
      if count < publication.parts.count { break }
    }
    precondition(!counts.isEmpty, "one part fits into a request")
    return PublicationBatch(queue: first.queue, content: content, counts: counts)
  }
}
