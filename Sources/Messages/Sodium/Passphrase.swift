/// What unlocks a secret key file: 1 to 1024 bytes, as they were typed. They are wiped with the
/// last reference.
package final class Passphrase: Sendable {
  package static let byteCountMax = 1_024
  let secret: SecretBytes

  package init(_ secret: consuming SecretBytes) throws(SodiumError) {
    guard secret.byteCount > 0 else { throw .passphraseEmpty }
    guard secret.byteCount <= Self.byteCountMax else {
      throw .passphraseTooLong(byteCountMax: Self.byteCountMax)
    }
    self.secret = secret
  }

  /// The first line of a file that only its owner can open, without the line feed.
  package convenience init(file path: String) throws(SodiumError) {
    let file = try KeyFileContent(reading: path, following: .noLinks)
    try file.requirePrivate()
    let line = file.bytes.withBytes { bytes in
      let end = bytes.indices.first { bytes[$0] == UInt8(ascii: "\n") } ?? bytes.count
      return SecretBytes(copying: bytes.extracting(0..<end))
    }
    try self.init(line)
  }

  /// Asks on a terminal that does not show what is typed; with `twice` a second time, and throws
  /// `passphrasesDiffer`.
  ///
  /// Blocks its thread until there is a line. ^C gives `interrupted`; the terminal shows typing
  /// again in any case.
  package static func ask(
    prompt: String, twice: Bool, terminal path: String = "/dev/tty"
  ) throws(SodiumError) -> Passphrase {
    let terminal = try SilentTerminal(path: path)
    let first = try Passphrase(terminal.ask("\(prompt): "))
    guard twice else { return first }
    let second = try Passphrase(terminal.ask("\(prompt), once more: "))
    guard first.secret == second.secret else { throw .passphrasesDiffer }
    return first
  }
}
