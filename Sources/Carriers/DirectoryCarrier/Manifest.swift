import MessageFormat
import Sodium

/// What lies beside the files of a message, and comes last: with it the message is there. It tells what a relay is told.
struct Manifest: Equatable {
  private static let title = "distro directory message 1"
  private static let recordHeaderByteCount: UInt64 = 4

  let id: MessageID
  let mailbox: Mailbox
  let depositor: Mailbox
  let slot: Slot?
  /// Milliseconds since 1970 by the depositor's clock, and more than in any manifest that it wrote there before: their order.
  let written: UInt64
  let size: SealedSize
  /// Of each of its files but the last one.
  let fileByteCount: UInt64
  /// Of all its files, one after the other.
  let digest: Digest

  /// The chunks, each with its length in front.
  static func contentByteCount(of size: SealedSize) -> UInt64 {
    size.byteCount + UInt64(size.chunkCount) * recordHeaderByteCount
  }

  var contentByteCount: UInt64 { Self.contentByteCount(of: size) }

  var fileCount: Int { Int((contentByteCount + fileByteCount - 1) / fileByteCount) }

  func byteCount(ofFile index: Int) -> UInt64 {
    min(fileByteCount, contentByteCount - UInt64(index) * fileByteCount)
  }

  var name: String { DirectoryLayout.manifestName(of: id) }

  func fileName(_ index: Int) -> String { DirectoryLayout.fileName(of: id, index) }

  func encoded() -> [UInt8] {
    Array(
      """
      \(Self.title)
      message \(id.hex)
      mailbox \(mailbox.hex)
      depositor \(depositor.hex)
      slot \(slot?.hex ?? "-")
      written \(written)
      chunks \(size.chunkCount)
      bytes \(size.byteCount)
      file-bytes \(fileByteCount)
      digest \(digest.hex)

      """.utf8)
  }

  init(
    id: MessageID, mailbox: Mailbox, depositor: Mailbox, slot: Slot?, written: UInt64,
    size: SealedSize, fileByteCount: UInt64, digest: Digest
  ) {
    (self.id, self.mailbox, self.depositor, self.slot) = (id, mailbox, depositor, slot)
    (self.written, self.size) = (written, size)
    (self.fileByteCount, self.digest) = (fileByteCount, digest)
  }

  /// `nil`: not a manifest in its canonical form.
  init?(decoding bytes: [UInt8]) {
    guard var lines = FieldLines(bytes, title: Self.title),
      let id: MessageID = lines.name(of: "message"),
      let mailbox: Mailbox = lines.name(of: "mailbox"),
      let depositor: Mailbox = lines.name(of: "depositor"),
      let slotText = lines.value(of: "slot"),
      let written = lines.number(of: "written"), written <= Limits.numberMax,
      let chunkCount = lines.number(of: "chunks").flatMap({ UInt32(exactly: $0) }),
      let byteCount = lines.number(of: "bytes"),
      let fileByteCount = lines.number(of: "file-bytes"),
      let content: ContentDigest = lines.name(of: "digest"), lines.isEmpty,
      let digest = Digest(bytes: content.bytes)
    else { return nil }
    let size: SealedSize
    do { size = try SealedSize(checking: chunkCount, byteCount) } catch { return nil }
    guard fileByteCount % (1 << 20) == 0,
      let mebibytes = Int(exactly: fileByteCount >> 20),
      DirectoryLayout.fileMebibytes.contains(mebibytes)
    else { return nil }
    self.init(
      id: id, mailbox: mailbox, depositor: depositor, slot: Slot(hex: slotText), written: written,
      size: size, fileByteCount: fileByteCount, digest: digest)
    guard encoded() == bytes else { return nil }
  }
}
