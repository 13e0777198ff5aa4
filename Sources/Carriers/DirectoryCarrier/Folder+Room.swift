import Glibc
import Host
import MessageFormat
import SharedFiles

extension Folder {
  /// Throws as a full disk does, before a byte is written: a stick is not filled again and again with what does not fit.
  /// `byteCount`: of all files of the message, of which some may be there.
  func requireRoom(
    for id: MessageID, _ byteCount: UInt64, fileByteCount: UInt64
  ) throws(FolderError) {
    let free: UInt64
    do {
      let disk = try DiskSpace(at: path)
      // Some network file systems do not say.
      guard disk.byteCount > 0 else { return }
      free = disk.freeByteCount
    } catch {
      return
    }
    var (there, index) = (UInt64(0), 0)
    while UInt64(index) * fileByteCount < byteCount,
      let status = try status(of: DirectoryLayout.fileName(of: id, index)), status.isFile
    {
      there += min(status.size, fileByteCount)
      index += 1
    }
    guard byteCount <= there + free else {
      throw .cannot(operation: "write \(byteCount - there) bytes", path: path, code: ENOSPC)
    }
  }
}
