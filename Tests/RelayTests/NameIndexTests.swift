import Relay
import Sodium
import Synchronization
import TestSupport
import Testing

/// Names in routes: ten thousand of them are found without looking through ten thousand identities for each.
@Suite struct NameIndexTests {
  private final class Counter: Sendable {
    let value = Atomic(0)
  }

  /// Counts who is looked at.
  private struct Counted: Sequence {
    let identities: [PublicIdentity]
    let counter: Counter

    func makeIterator() -> AnyIterator<PublicIdentity> {
      var rest = identities.makeIterator()
      return AnyIterator {
        counter.value.add(1, ordering: .relaxed)
        return rest.next()
      }
    }
  }

  @Test func `a name is found without looking at the others`() throws {
    let identities = try (0..<1_000).map { try TestIdentity.make("machine\($0)").public }
    let counter = Counter()
    let names = NameIndex(Counted(identities: identities, counter: counter))
    for identity in identities {
      #expect(names[identity.name.text] == .one(identity.mailbox))
    }
    #expect(names["machine"] == .none)
    #expect(counter.value.load(ordering: .relaxed) == 1_001)
  }

  @Test func `a name that two have leads to neither`() throws {
    let (one, other) = (try TestIdentity.make("web"), try Identity(generating: IdentityName("web")))
    let names = NameIndex([one, other].map(\.public))
    #expect(names["web"] == .several)
    #expect(names.all == ["web"])
  }
}
