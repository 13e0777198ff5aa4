import CLinux
import Glibc

/// An open descriptor; closed with its last reference, unless it was taken.
final class OpenDescriptor {
  private(set) var number: Int32

  init(_ number: Int32) { self.number = number }

  deinit { close() }

  func close() {
    if number >= 0 { Glibc.close(number) }
    number = -1
  }

  /// All of the bytes, or an error.
  func write(_ bytes: [UInt8], for program: String) throws(ProgramError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes {
        unsafe Glibc.write(number, $0.baseAddress, $0.count)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw .system(program: program, call: "write", code: errno) }
      rest = rest.dropFirst(count)
    }
  }

  /// The receiver closes it.
  func take() -> Int32 {
    defer { number = -1 }
    return number
  }
}

/// A pipe whose reader never blocks; both ends are closed in programs that are started.
struct DescriptorPipe {
  let reader: OpenDescriptor
  let writer: OpenDescriptor

  static func make(for program: String) throws(ProgramError) -> DescriptorPipe {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe2(&ends, O_CLOEXEC) == 0 else {
      throw .system(program: program, call: "pipe", code: errno)
    }
    let pipe = DescriptorPipe(reader: OpenDescriptor(ends[0]), writer: OpenDescriptor(ends[1]))
    guard fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 else {
      throw .system(program: program, call: "fcntl", code: errno)
    }
    return pipe
  }

  /// What has come; `nil`: the writers have closed it.
  func read(for program: String) throws(ProgramError) -> [UInt8]? {
    var count = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, initialized in
      count = unsafe Glibc.read(reader.number, buffer.baseAddress, buffer.count)
      initialized = max(count, 0)
    }
    if count > 0 { return bytes }
    if count == 0 { return nil }
    guard errno == EAGAIN || errno == EINTR else {
      throw .system(program: program, call: "read", code: errno)
    }
    return []
  }
}

/// Memory that a program reads as its standard input: without a pipe, nothing waits for the program to read.
enum InputFile {
  static func make(_ bytes: [UInt8], for program: String) throws(ProgramError) -> OpenDescriptor {
    let file = OpenDescriptor(unsafe memfd_create("input", UInt32(DISTRO_MFD_CLOEXEC)))
    guard file.number >= 0 else {
      throw .system(program: program, call: "memfd_create", code: errno)
    }
    try file.write(bytes, for: program)
    lseek(file.number, 0, SEEK_SET)
    return file
  }
}
