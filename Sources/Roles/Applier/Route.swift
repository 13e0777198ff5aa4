import MessageFormat

/// Which checkout a stream is for.
struct Route {
  let checkouts: [CheckoutSettings]
  private let byStream: [StreamName: CheckoutSettings]
  private let remotes: Set<RemoteName>

  init(checkouts: [CheckoutSettings]) {
    self.checkouts = checkouts
    byStream = Dictionary(checkouts.map { ($0.stream, $0) }) { first, _ in first }
    remotes = Set(checkouts.map(\.stream.remote))
  }

  /// Whether any checkout is kept at this stream, for any signer.
  func leads(_ stream: StreamName) -> Bool { byStream[stream] != nil }

  func checkout(
    of stream: StreamName, signer: Mailbox
  ) throws(Refused) -> CheckoutSettings {
    guard remotes.contains(stream.remote) else {
      throw Refused(.remoteMismatch, "no checkout here has the remote \(stream.remote)")
    }
    guard let settings = byStream[stream] else {
      throw Refused(.branchMismatch, "no checkout here is on the branch \(stream.branch)")
    }
    guard settings.signers.contains(signer) else {
      throw Refused(.unknownSigner, "this signer is not trusted for \(settings.path)")
    }
    return settings
  }
}
