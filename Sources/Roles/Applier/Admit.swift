import MessageFormat

/// A message for one of our checkouts, from a signer that the checkout trusts.
///
/// Only `Admit` makes one.
struct RoutedMessage {
  let opened: OpenedMessage
  let settings: CheckoutSettings

  fileprivate init(_ opened: OpenedMessage, to settings: CheckoutSettings) {
    self.opened = opened
    self.settings = settings
  }
}

/// A routed message whose sequence number is the next of its stream; the number is used up, whatever follows.
///
/// Only `Admit` makes one.
struct AdmittedMessage {
  let opened: OpenedMessage
  let settings: CheckoutSettings

  fileprivate init(_ routed: RoutedMessage) {
    opened = routed.opened
    settings = routed.settings
  }
}

/// A heartbeat that has news of streams, for checkouts that trust its signer.
///
/// Only `Admit` makes one.
struct AdmittedHeartbeat {
  struct Stream {
    let heard: Heartbeat.Stream
    let settings: CheckoutSettings
  }

  let opened: OpenedHeartbeat
  /// At least one.
  let streams: [Stream]
  /// Why other streams of it are for no checkout here; one of each name.
  let strays: [Refused]

  fileprivate init(_ opened: OpenedHeartbeat, _ streams: [Stream], strays: [Refused]) {
    self.opened = opened
    self.streams = streams
    self.strays = strays
  }
}

/// The second stage: which checkout a message is for, and whether it is that checkout's turn.
struct Admit {
  let route: Route
  let inbox: Inbox

  func route(_ opened: OpenedMessage) -> Passage<RoutedMessage> {
    do throws(Refused) {
      let settings = try route.checkout(of: opened.message.stream, signer: opened.message.signer)
      return .next(RoutedMessage(opened, to: settings))
    } catch {
      return .ends(.refused(RefusedMessage(.opened(opened), error)))
    }
  }

  /// `pending`: the messages before it that were checked and are not yet recorded.
  func admit(
    _ routed: RoutedMessage, behind pending: [CheckedPatch]
  ) throws -> Passage<AdmittedMessage> {
    do {
      try SequenceCheck(inbox: inbox).require(routed.opened, behind: pending)
      return .next(AdmittedMessage(routed))
    } catch let refused as Refused {
      return .ends(.refused(RefusedMessage(.routed(routed), refused)))
    }
  }

  func admit(_ opened: OpenedHeartbeat, at now: Timestamp) throws -> Passage<AdmittedHeartbeat> {
    let heartbeat = opened.heartbeat
    let counters = try inbox.heartbeatCounters(of: heartbeat.signer)
    var streams: [AdmittedHeartbeat.Stream] = []
    var strays: [Refusal: Refused] = [:]
    for stream in heartbeat.streams {
      do throws(Refused) {
        let settings = try route.checkout(of: stream.name, signer: heartbeat.signer)
        try requireNews(heartbeat.counter, behind: counters[stream.name], at: now)
        streams.append(.init(heard: stream, settings: settings))
      } catch {
        strays[error.refusal] = error
      }
    }
    let replayed = strays.removeValue(forKey: .replayed)
    guard !streams.isEmpty else {
      let reason = replayed ?? strays.values.first
      return .ends(
        .heartbeatDropped(opened.stored, reason ?? Refused(.malformed, "it names no stream")))
    }
    return .next(AdmittedHeartbeat(opened, streams, strays: Array(strays.values)))
  }

  /// A counter far ahead of now is of a time when the signer's clock was ahead, and keeps out none of a state that has
  /// begun anew since.
  private func requireNews(
    _ counter: UInt64, behind last: UInt64?, at now: Timestamp
  ) throws(Refused) {
    guard let last, counter <= last else { return }
    let latest = now.adding(milliseconds: Limits.clockSkewMillisecondsMax).milliseconds
    guard last <= latest || counter > latest else { return }
    throw Refused(.replayed, "its counter is \(counter), and \(last) was seen already")
  }
}
