package import MessageFormat
import Sealing
package import Sodium

/// Identities of tests: the same name, the same keys, so that a message can be addressed to whom it will meet.
package enum TestIdentity {
  package static func make(_ name: String) throws -> Identity {
    let digest = Digest(of: Array("test identity \(name)".utf8)).bytes
    return Identity(name: try IdentityName(name), seed: SecretBytes(copying: digest.span))
  }

  package static func mailbox(_ name: String) -> Mailbox {
    do {
      return try make(name).public.mailbox
    } catch {
      preconditionFailure("\(name) is a name")
    }
  }
}
