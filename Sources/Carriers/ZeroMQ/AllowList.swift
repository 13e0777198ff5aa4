import Synchronization

/// The peers that may connect: CURVE public keys, and the user id that each gets. Replaced as a whole, from
/// any thread.
final class AllowList: Sendable {
  private struct Content: Sendable {
    var userIDs: [CurvePublicKey: String] = [:]
    var known: Set<String> = []
  }

  private let content = Mutex(Content())

  /// User ids: 1 to 255 bytes without a zero, since C reads them.
  func replace(with userIDs: [CurvePublicKey: String]) {
    for userID in userIDs.values {
      let bytes = userID.utf8
      precondition(
        !bytes.isEmpty && bytes.count <= ZAPRequest.textByteCountMax && !bytes.contains(0),
        "a user id has 1 to 255 bytes, none of them zero")
    }
    content.withLock { $0 = Content(userIDs: userIDs, known: Set(userIDs.values)) }
  }

  func contains(userID: String) -> Bool {
    content.withLock { $0.known.contains(userID) }
  }

  func reply(to request: ZAPRequest) -> ZAPReply {
    guard request.domain == Authenticator.domain,
      let userID = content.withLock({ $0.userIDs[request.key] })
    else { return .refused }
    return .allowed(userID: userID)
  }
}
