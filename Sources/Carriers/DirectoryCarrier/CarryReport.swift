/// What one run of carrying did, in one direction.
package struct CarryReport: Equatable, Sendable {
  /// A message that stayed where it was.
  package struct Fault: Equatable, Sendable {
    package let path: String
    package let reason: String
  }

  private static let faultCountMax = 100

  package internal(set) var messageCount = 0
  package internal(set) var byteCount: UInt64 = 0
  /// Readers whose newer acknowledgements were copied.
  package internal(set) var acknowledgementCount = 0
  /// Messages that their reader has acknowledged, or that a newer one has replaced, and which were removed from the target.
  package internal(set) var removedCount = 0
  package private(set) var faultCount = 0
  /// The first hundred.
  package private(set) var faults: [Fault] = []

  mutating func add(_ fault: Fault) {
    faultCount += 1
    if faults.count < Self.faultCountMax { faults.append(fault) }
  }
}
