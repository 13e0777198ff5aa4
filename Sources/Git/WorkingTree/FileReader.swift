package import GitModel
internal import Glibc

/// A regular file, open for reading from its beginning to its end; it may be replaced meanwhile.
package struct FileReader: ~Copyable {
  /// Of the file that is being read, whatever stands at its path by now.
  package let status: FileStatus
  private let path: TreePath
  let descriptor: Descriptor

  init(path: TreePath, status: FileStatus, descriptor: consuming Descriptor) {
    self.path = path
    self.status = status
    self.descriptor = descriptor
  }

  /// Fills `buffer` from its beginning, and gives the count; zero is the end.
  ///
  /// A caller that hashes brings one buffer for all files, so that memory is that buffer whatever
  /// a file's size.
  package mutating func read(into buffer: inout [UInt8]) throws(WorkingTreeError) -> Int {
    let number = descriptor.number
    let count = unsafe buffer.withUnsafeMutableBytes { target in
      var count = unsafe Glibc.read(number, target.baseAddress, target.count)
      while count < 0 && errno == EINTR {
        count = unsafe Glibc.read(number, target.baseAddress, target.count)
      }
      return count
    }
    guard count >= 0 else {
      throw .cannot(operation: "read", path: path.description, code: errno)
    }
    return count
  }
}

extension FileReader {
  /// The rest of a small file.
  package mutating func readToEnd() throws(WorkingTreeError) -> [UInt8] {
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4_096)
    while true {
      let count = try read(into: &buffer)
      if count == 0 { return content }
      content += buffer[..<count]
    }
  }
}

extension WorkingTree {
  /// `.notAFile` unless a regular file is there; never waits for the other end of a FIFO.
  package func open(_ path: TreePath) throws(WorkingTreeError) -> FileReader {
    let names = EntryNames(path)
    let walk = try walk(to: names)
    // Opening a device can do something to it, so the type is asked for before, and again
    // afterwards.
    guard walk.stop == nil, let status = try walk.directory.status(names.last), status.isRegular
    else { throw .notAFile(path) }
    let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
    let parent = walk.directory.number
    let number = repeatWhileInterrupted {
      unsafe names.last.withCString { unsafe openat(parent, $0, flags) }
    }
    guard number >= 0 else {
      if errno == ENOENT || errno == ELOOP { throw .notAFile(path) }
      throw .cannot("open", names.last, errno)
    }
    let descriptor = Descriptor(owning: number)
    let opened = try descriptor.status(describing: path.description)
    guard opened.isRegular else { throw .notAFile(path) }
    return FileReader(path: path, status: opened, descriptor: descriptor)
  }

  /// What a symbolic link holds; `.notAFile` unless one is there.
  package func linkTarget(of path: TreePath) throws(WorkingTreeError) -> [UInt8] {
    let names = EntryNames(path)
    let walk = try walk(to: names)
    guard walk.stop == nil else { throw .notAFile(path) }
    let parent = walk.directory.number
    var target = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe names.last.withCString { name in
      unsafe readlinkat(parent, name, &target, target.count)
    }
    guard count >= 0 else {
      if errno == EINVAL || errno == ENOENT { throw .notAFile(path) }
      throw .cannot("read the link", names.last, errno)
    }
    return target.prefix(count).map { UInt8(bitPattern: $0) }
  }

  /// What git would store for a file or a link, for small ones.
  package func content(
    of path: TreePath, byteCountMax: Int
  ) throws(WorkingTreeError) -> [UInt8] {
    if case .symbolicLink = try find(path) {
      let target = try linkTarget(of: path)
      guard target.count <= byteCountMax else {
        throw .tooLarge(path, byteCountMax: byteCountMax)
      }
      return target
    }
    var reader = try open(path)
    var content: [UInt8] = []
    // One byte more than the file has now: then the first read finds the end, too.
    var buffer = [UInt8](
      repeating: 0, count: Int(min(max(reader.status.size, 0), 1 << 16)) + 1)
    while true {
      let count = try reader.read(into: &buffer)
      if count == 0 { return content }
      guard content.count + count <= byteCountMax else {
        throw .tooLarge(path, byteCountMax: byteCountMax)
      }
      content += buffer[..<count]
    }
  }
}
