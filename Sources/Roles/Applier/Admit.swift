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

/// A heartbeat that is newer than the last one, for a checkout that trusts its signer.
///
/// Only `Admit` makes one.
struct AdmittedHeartbeat {
  let opened: OpenedHeartbeat
  let settings: CheckoutSettings

  fileprivate init(_ opened: OpenedHeartbeat, to settings: CheckoutSettings) {
    self.opened = opened
    self.settings = settings
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
    do {
      let settings = try route.checkout(of: heartbeat.stream, signer: heartbeat.signer)
      try requireNews(heartbeat, at: now)
      return .next(AdmittedHeartbeat(opened, to: settings))
    } catch let refused as Refused {
      return .ends(.heartbeatDropped(opened.stored, refused))
    }
  }

  private func requireNews(_ heartbeat: Heartbeat, at now: Timestamp) throws {
    guard let last = try inbox.heard(of: heartbeat.stream, by: [heartbeat.signer]) else { return }
    // Of a time when both clocks were ahead: it would keep every later one out.
    let latest = now.adding(milliseconds: Limits.clockSkewMillisecondsMax)
    guard last.createdAt <= latest, last.createdAt >= heartbeat.createdAt else { return }
    throw Refused(.replayed, "a heartbeat of this stream that is not older was seen already")
  }
}
