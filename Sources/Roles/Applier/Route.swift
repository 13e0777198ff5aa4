import MessageFormat

/// Which checkout a stream is for.
struct Route {
  let checkouts: [CheckoutSettings]

  /// Whether any checkout is kept at this stream, whoever sent it.
  func leads(_ stream: StreamName) -> Bool { checkouts.contains { $0.stream == stream } }

  func checkout(
    of stream: StreamName, signer: Mailbox
  ) throws(Refused) -> CheckoutSettings {
    let sameRemote = checkouts.filter { $0.stream.remote == stream.remote }
    guard !sameRemote.isEmpty else {
      throw Refused(.remoteMismatch, "no checkout here has the remote \(stream.remote)")
    }
    guard let settings = sameRemote.first(where: { $0.stream == stream }) else {
      throw Refused(.branchMismatch, "no checkout here is on the branch \(stream.branch)")
    }
    guard settings.signers.contains(signer) else {
      throw Refused(.unknownSigner, "this signer is not trusted for \(settings.path)")
    }
    return settings
  }
}
