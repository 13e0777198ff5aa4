package import MessageFormat

/// What goes wrong on the way, for a test to set and to change at any time. Probabilities are of each occasion.
package struct InProcessFaults: Sendable {
  /// The connection breaks, at any chunk.
  package var cut = 0.0
  /// What was put into a mailbox is put there twice.
  package var duplicate = 0.0
  /// A later message is delivered before the first one.
  package var reorder = 0.0
  /// A message is said to be stored, and is gone.
  package var drop = 0.0
  /// Something that was delivered and acknowledged before is delivered once more.
  package var replay = 0.0
  /// An acknowledgement is lost: what was accepted is delivered again.
  package var loseAcknowledgement = 0.0
  /// How long a message is on its way; each time something between.
  package var delay: ClosedRange<Duration> = .zero ... .zero
  /// Mailboxes that nothing is taken for.
  package var refused: Set<Mailbox> = []
  /// Of what waits for one mailbox; what is over it is refused.
  package var mailboxByteCountMax: UInt64 = .max
  /// Every connection fails.
  package var isDown = false

  package init() {}

  package static let none = InProcessFaults()
}

/// Random numbers that a seed repeats (prng.di.unimi.it).
package struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  mutating func happens(_ probability: Double) -> Bool {
    probability > 0 && Double.random(in: 0..<1, using: &self) < probability
  }
}
