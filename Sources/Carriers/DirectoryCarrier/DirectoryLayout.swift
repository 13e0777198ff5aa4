import MessageFormat
import SharedFiles

/// Where what lies in a carried directory, and every limit on it (docs/message-format.md, "Directory carrier").
///
/// Only the depositor writes into `mail/MAILBOX/DEPOSITOR`; the reader removes there what it has taken.
package enum DirectoryLayout {
  package static let markerName = "distro-directory.txt"
  static let markerText = "distro directory 1\n"
  static let mailName = "mail"
  static let acknowledgementsName = "acks"
  static let manifestSuffix = ".msg"
  static let temporarySuffix = ".tmp"

  /// So many messages of one depositor wait in one mailbox at most.
  package static let waitingCountMax = 1_000
  /// Twice what can wait: an acknowledgement is not pushed out before its depositor has seen it.
  static let acknowledgementCountMax = 2 * waitingCountMax
  static let manifestByteCountMax = 1_024
  static let acknowledgementsByteCountMax = 512 * 1_024
  /// Names that are looked at in one folder: a million of a stranger's cost no more than that.
  static let scanCountMax = 200_000
  static let folderCountMax = 100_000

  /// FAT32 ends at 4 GiB less one byte.
  package static let fileMebibytes = 1...4_095
  package static let fileMebibytesDefault = 64

  /// How far ahead of ours the clock may be that a time or a list's number was made by: a year, for machines without a clock.
  static let clockMillisecondsMax: UInt64 = 366 * 24 * 3_600 * 1_000
  /// The first half of a name's digits: short enough for every path, and as hard to meet on purpose as a key is to guess.
  static func short<Thing>(_ name: Name<Thing>) -> String { String(name.hex.prefix(shortCount)) }

  private static let shortCount = 32
  private static let indexCount = 5

  static func manifestName(of id: MessageID) -> String { short(id) + manifestSuffix }

  static func fileName(of id: MessageID, _ index: Int) -> String {
    let digits = String(index)
    return short(id) + "." + String(repeating: "0", count: indexCount - digits.count) + digits
  }

  static func temporaryName(for name: String) -> String {
    "\(name)-\(String(UInt32.random(in: 0 ... .max), radix: 16))\(temporarySuffix)"
  }

  /// 32 lower-case hexadecimal digits: a mailbox, a depositor.
  static func isFolderName(_ name: String) -> Bool {
    name.utf8.count == shortCount && name.utf8.allSatisfy(isDigit)
  }

  static func isManifestName(_ name: String) -> Bool {
    name.hasSuffix(manifestSuffix) && isFolderName(String(name.dropLast(manifestSuffix.count)))
  }

  /// The manifest's name that goes with a message's file; `nil`: not a name that we give.
  static func manifestName(ofFile name: String) -> String? {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, isFolderName(String(parts[0])), parts[1].utf8.count == indexCount,
      parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) })
    else { return nil }
    return parts[0] + manifestSuffix
  }

  static func isTemporaryName(_ name: String) -> Bool {
    guard name.hasSuffix(temporarySuffix), let dash = name.lastIndex(of: "-") else { return false }
    let base = String(name[..<dash])
    return base == acknowledgementsName || isManifestName(base)
      || manifestName(ofFile: base) != nil
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
  }
}

extension Folder {
  /// Under `name`, whole and durable.
  func place(_ name: String, _ write: (FolderFile) throws -> Void) throws {
    try place(name, under: DirectoryLayout.temporaryName(for: name), write)
  }
}
