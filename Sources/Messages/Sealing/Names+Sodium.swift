package import MessageFormat
package import Sodium

extension Name {
  /// A digest has as many bytes as a name.
  package init(digest: Digest) {
    guard let name = Name(digest.bytes) else { preconditionFailure("a digest has 32 bytes") }
    self = name
  }
}

extension PublicIdentity {
  /// The mailbox of an identity is named by its fingerprint.
  package var mailbox: Mailbox {
    guard let mailbox = Mailbox(fingerprint.bytes) else {
      preconditionFailure("a fingerprint has 32 bytes")
    }
    return mailbox
  }
}
