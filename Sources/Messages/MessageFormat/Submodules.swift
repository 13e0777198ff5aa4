/// The submodules of a payload (docs/message-format.md, "Submodules"): a pack of their commits, with all that the commits'
/// trees need.
package struct SubmodulesDescription: Hashable, Sendable {
  /// Of commits in the pack.
  package let count: Int
  /// Of the pack, in bytes; 0 without a pack.
  package let size: UInt64

  /// - Precondition: both are zero, or none is.
  package init(count: Int, size: UInt64) {
    precondition(Self.isPossible(count, size), "a pack where there are commits")
    (self.count, self.size) = (count, size)
  }

  init(_ wire: WireSubmodules) throws(FormatError) {
    try requireLimit(
      UInt64(wire.count), UInt64(Limits.submoduleCountMax),
      field: "message.payload.submodules.count")
    guard Self.isPossible(Int(wire.count), wire.size) else {
      throw .invalid(field: "message.payload.submodules.size")
    }
    (count, size) = (Int(wire.count), wire.size)
  }

  var wire: WireSubmodules {
    var wire = WireSubmodules()
    wire.count = UInt32(count)
    wire.size = size
    return wire
  }

  private static func isPossible(_ count: Int, _ size: UInt64) -> Bool {
    count == 0 ? size == 0 : size > 0
  }
}
