/// A range of IP addresses: `10.0.0.0/8`, `2001:db8::/32`, or one address.
package struct Network: Sendable, Equatable {
  private let address: IPAddress
  private let bitCount: Int

  /// `nil`: not in that form.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count <= 2, let address = IPAddress(String(parts[0])) else { return nil }
    self.address = address
    let bits = address.bytes.count * 8
    guard parts.count == 2 else {
      bitCount = bits
      return
    }
    guard let count = Int(parts[1]), (0...bits).contains(count) else { return nil }
    bitCount = count
  }

  func contains(_ other: IPAddress) -> Bool {
    guard other.bytes.count == address.bytes.count else { return false }
    return address.prefix(bitCount) == other.prefix(bitCount)
  }
}

/// Four or sixteen bytes; an IPv4 address in IPv6's clothes is the IPv4 address.
struct IPAddress: Hashable, Sendable {
  let bytes: [UInt8]

  init?(_ text: String) {
    // Without the interface of a link-local address, which is none of ours.
    let plain = text.prefix { $0 != "%" }
    if let bytes = Self.version4(plain) {
      self.bytes = bytes
    } else if let bytes = Self.version6(plain) {
      let mapped = [UInt8](repeating: 0, count: 10) + [0xff, 0xff]
      self.bytes = bytes.starts(with: mapped) ? Array(bytes.suffix(4)) : bytes
    } else {
      return nil
    }
  }

  /// The first bits, the others 0.
  func prefix(_ bitCount: Int) -> [UInt8] {
    bytes.enumerated().map { index, byte in
      let bits = min(8, max(0, bitCount - index * 8))
      return bits == 0 ? 0 : byte & (0xff << (8 - bits))
    }
  }

  private static func version4(_ text: Substring) -> [UInt8]? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    let bytes = parts.compactMap { part in
      part.utf8.allSatisfy { (0x30...0x39).contains($0) } ? UInt8(part) : nil
    }
    return parts.count == 4 && bytes.count == 4 ? bytes : nil
  }

  /// RFC 4291, section 2.2.
  private static func version6(_ text: Substring) -> [UInt8]? {
    let halves = text.split(separator: "::", maxSplits: 2, omittingEmptySubsequences: false)
    guard text.contains(":"), halves.count <= 2 else { return nil }
    var sides: [[UInt8]] = []
    for half in halves {
      guard let bytes = groups(half) else { return nil }
      sides.append(bytes)
    }
    guard sides.count == 2 else { return sides[0].count == 16 ? sides[0] : nil }
    let missing = 16 - sides[0].count - sides[1].count
    return missing < 2 ? nil : sides[0] + [UInt8](repeating: 0, count: missing) + sides[1]
  }

  private static func groups(_ text: Substring) -> [UInt8]? {
    guard !text.isEmpty else { return [] }
    var bytes: [UInt8] = []
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    for (index, part) in parts.enumerated() {
      if index == parts.count - 1, let last = version4(part) {
        bytes += last
      } else {
        guard (1...4).contains(part.count), let value = UInt16(part, radix: 16) else { return nil }
        bytes += [UInt8(value >> 8), UInt8(truncatingIfNeeded: value)]
      }
    }
    return bytes.count <= 16 ? bytes : nil
  }
}
