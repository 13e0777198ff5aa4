/// Where a signer's daemon listens for programs of this machine that ask it to send, and which may.
package struct SignerSocket: Sendable, Equatable {
  /// Where `sign-and-send` knocks that is told of no other place.
  package static let pathDefault = "/run/distro/signer.sock"

  package let path: String
  /// `nil`: that of the daemon.
  package let group: UInt32?
  /// Permission bits: to write is to be let in (unix(7)).
  package let mode: UInt32

  package init(path: String, group: UInt32? = nil, mode: UInt32 = 0o660) {
    (self.path, self.group, self.mode) = (path, group, mode)
  }

  /// In the state directory, for the daemon's own user.
  package init(inState directory: String) {
    self.init(path: directory + "/socket", mode: 0o600)
  }
}
