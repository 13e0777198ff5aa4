import MessageFormat

/// Which checkout a stream is for.
struct Route {
  let checkouts: [CheckoutSettings]

  /// Whether any checkout is kept at this stream, whoever sent it.
  func leads(_ remote: String, _ ref: BranchName) -> Bool {
    checkouts.contains { $0.remote.utf8.elementsEqual(remote.utf8) && $0.branch == ref }
  }

  func checkout(
    remote: String, ref: BranchName, signer: Mailbox
  ) throws(Refused) -> CheckoutSettings {
    let sameRemote = checkouts.filter { $0.remote.utf8.elementsEqual(remote.utf8) }
    guard !sameRemote.isEmpty else {
      throw Refused(.remoteMismatch, "no checkout here has the remote \(remote)")
    }
    guard let settings = sameRemote.first(where: { $0.branch == ref }) else {
      throw Refused(.branchMismatch, "no checkout here is on the branch \(ref.shortName)")
    }
    guard settings.signers.contains(signer) else {
      throw Refused(.unknownSigner, "this signer is not trusted for \(settings.path)")
    }
    return settings
  }
}
