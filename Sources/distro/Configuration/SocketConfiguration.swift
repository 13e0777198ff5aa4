import Host
import Signer

/// `socket:` of a signer: where its daemon takes requests to send, and from which programs. Without it, in the state
/// directory, for the daemon's own user.
enum SocketConfiguration {
  static func read(
    _ root: ConfigurationMapping, in file: ConfigurationFile
  ) throws -> SignerSocket {
    guard let node = root[optional: "socket"] else {
      return SignerSocket(inState: try file.path(try root["state"]))
    }
    return try read(node, in: file)
  }

  /// A path alone, or with rights.
  static func read(
    _ node: ConfigurationNode, in file: ConfigurationFile
  ) throws -> SignerSocket {
    guard node.isMapping else { return SignerSocket(path: try file.path(node)) }
    let mapping = try node.mapping(keys: ["path", "group", "mode"])
    return SignerSocket(
      path: try mapping[optional: "path"].map { try file.path($0) } ?? SignerSocket.pathDefault,
      group: try mapping[optional: "group"].map { try group($0) },
      mode: try mapping[optional: "mode"].map { try mode($0) } ?? 0o660)
  }

  private static func group(_ node: ConfigurationNode) throws -> UInt32 {
    let name = try node.string()
    guard let number = try SystemGroup.number(of: name) else {
      throw node.invalid("there is no group '\(name)'")
    }
    return number
  }

  /// As chmod(1) takes it; the daemon's own user is always let in.
  private static func mode(_ node: ConfigurationNode) throws -> UInt32 {
    let text = try node.string()
    guard let mode = UInt32(text, radix: 8), mode & ~0o666 == 0, mode & 0o600 == 0o600 else {
      throw node.invalid("0600 to 0666 expected, as in 0660, found '\(text)'")
    }
    return mode
  }
}
