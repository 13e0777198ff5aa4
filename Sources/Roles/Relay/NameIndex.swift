package import MessageFormat
import Sealing
package import Sodium

/// Identities by their names, which are what people write into routes.
package struct NameIndex: Sendable {
  package enum Bearer: Hashable, Sendable {
    case none
    case one(Mailbox)
    /// A name proves nothing, and a guess would.
    case several

    var isOne: Bool { if case .one = self { true } else { false } }
  }

  private var bearers: [String: Bearer] = [:]

  /// Looks at each identity once; a look-up looks at none.
  package init(_ identities: some Sequence<PublicIdentity>) {
    for identity in identities {
      let name = identity.name.text
      bearers[name] = bearers[name] == nil ? .one(identity.mailbox) : .several
    }
  }

  package subscript(name: String) -> Bearer { bearers[name] ?? .none }

  package var all: [String] { bearers.keys.sorted() }
}
