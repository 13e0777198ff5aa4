import Foundation
import Sodium

/// Public lines whose checksum fits, with one key that is none.
enum PublicKeyHazard: CaseIterable {
  case signingIdentity, signingOffCurve, signingNotCanonical
  case sealingZero, sealingOrderEight, sealingNotCanonical, sealingHighBit
  case transportZero

  private static let zero = [UInt8](repeating: 0, count: 32)
  /// RFC 7748's u-coordinate of a point of order 8, as in libsodium's list of low-order points.
  private static let orderEight = bytes(
    hex: "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")
  /// 2^255 - 19 + 9: the base point, not reduced.
  private static let unreduced = bytes(
    hex: "f6ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")

  func line() throws -> String {
    let identity = try Vectors.identity().public
    var signing = identity.signingKey.bytes
    var sealing = identity.sealingKey.bytes
    var transport = identity.transportKey.bytes
    switch self {
    case .signingIdentity: signing = [1] + Self.zero.dropLast()
    case .signingOffCurve: signing = [2] + Self.zero.dropLast()
    case .signingNotCanonical: signing = Self.unreduced
    case .sealingZero: sealing = Self.zero
    case .sealingOrderEight: sealing = Self.orderEight
    case .sealingNotCanonical: sealing = Self.unreduced
    case .sealingHighBit: sealing[31] |= 0x80
    case .transportZero: transport = Self.zero
    }
    let keys = signing + sealing + transport
    let checksum = Digest(of: Array("distro-fingerprint-1\n".utf8) + keys).bytes.prefix(6)
    let text = Data(keys + checksum).base64EncodedString()
      .replacing("+", with: "-").replacing("/", with: "_")
    return "distro-public-1 \(text) vector"
  }
}
