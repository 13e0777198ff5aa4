import Glibc

/// A socket in the file system at which programs of this machine connect: unix(7). Rights of the file decide which may.
///
/// A lock beside it (`PATH.lock`, flock(2)) belongs to the process that listens, so that a socket without it is one that a
/// killed process has left, and is replaced; that of a living one never is. Belongs to one thread, except `wake`.
package final class LocalListener: Sendable {
  private static let queueMax: Int32 = 1_024

  package let path: String
  private let descriptor: Int32
  private let lock: Int32
  private let bell: (read: Int32, write: Int32)
  private let identity: FileIdentity

  private struct FileIdentity: Equatable {
    let device: dev_t
    let inode: ino_t

    /// `nil`: nothing is there. Throws if it is not a socket.
    init?(_ path: String) throws(HostError) {
      var status = stat()
      guard unsafe lstat(path, &status) == 0 else {
        if errno == ENOENT { return nil }
        throw .system(call: "stat", subject: path, code: errno)
      }
      guard status.st_mode & S_IFMT == S_IFSOCK else { throw .noSocket(path) }
      (device, inode) = (status.st_dev, status.st_ino)
    }
  }

  /// `group`: `nil`, that of the process. The socket is there, under its name and with its rights, when it returns.
  package init(at path: String, group: UInt32?, mode: UInt32) throws(HostError) {
    let lock = try Self.lock(path)
    var owned = [lock]
    do throws(HostError) {
      try Self.requireAbandoned(path)
      let descriptor = try LocalSocket.make(for: path)
      owned.append(descriptor)
      identity = try Self.bind(descriptor, at: path, group: group, mode: mode)
      var ends: [Int32] = [-1, -1]
      guard unsafe pipe(&ends) == 0 else {
        throw HostError.system(call: "pipe", subject: path, code: errno)
      }
      for end in ends { LocalSocket.prepare(end) }
      (self.path, self.lock, self.descriptor, bell) = (path, lock, descriptor, (ends[0], ends[1]))
    } catch {
      for descriptor in owned { close(descriptor) }
      throw error
    }
  }

  deinit { for descriptor in [descriptor, bell.read, bell.write, lock] { close(descriptor) } }

  private static func lock(_ path: String) throws(HostError) -> Int32 {
    let name = path + ".lock"
    let descriptor = unsafe open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .system(call: "open", subject: name, code: errno) }
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      let code = errno
      if code == EINTR { continue }
      close(descriptor)
      if code == EWOULDBLOCK { throw .socketInUse(path) }
      throw .system(call: "flock", subject: name, code: code)
    }
    return descriptor
  }

  /// Some other program's may lie there, which knows nothing of the lock.
  static func requireAbandoned(_ path: String) throws(HostError) {
    guard try FileIdentity(path) != nil else { return }
    do throws(HostError) {
      _ = try LocalSocket(connectingTo: path, by: .now)
    } catch .system(_, _, ECONNREFUSED), .system(_, _, ENOENT) {
      return
    } catch {
      throw .socketInUse(path)
    }
    throw .socketInUse(path)
  }

  /// Under another name first: at its own it has its rights, and listens, from the first moment.
  private static func bind(
    _ descriptor: Int32, at path: String, group: UInt32?, mode: UInt32
  ) throws(HostError) -> FileIdentity {
    let name = path + ".new"
    unsafe Glibc.unlink(name)
    let address = try LocalAddress(name)
    let code = unsafe address.withSocketAddress { unsafe Glibc.bind(descriptor, $0, $1) }
    guard code == 0 else { throw .system(call: "bind", subject: path, code: code) }
    do throws(HostError) {
      try setRights(of: name, group: group, mode: mode)
      guard listen(descriptor, queueMax) == 0 else {
        throw .system(call: "listen", subject: path, code: errno)
      }
      guard let identity = try FileIdentity(name) else {
        throw .system(call: "bind", subject: path, code: ENOENT)
      }
      guard unsafe rename(name, path) == 0 else {
        throw .system(call: "rename", subject: path, code: errno)
      }
      return identity
    } catch {
      unsafe Glibc.unlink(name)
      throw error
    }
  }

  /// Which programs may connect from now on.
  package func setRights(group: UInt32?, mode: UInt32) throws(HostError) {
    try Self.setRights(of: path, group: group ?? getegid(), mode: mode)
  }

  static func setRights(
    of path: String, group: UInt32?, mode: UInt32
  ) throws(HostError) {
    if let group, unsafe chown(path, uid_t.max, group) != 0 {
      throw .system(call: "chown", subject: path, code: errno)
    }
    guard unsafe chmod(path, mode) == 0 else {
      throw .system(call: "chmod", subject: path, code: errno)
    }
  }

  /// The next connection; `nil`: none by then, or `wake` was called. `takes`: otherwise it only waits to be woken.
  package func accept(
    by end: ContinuousClock.Instant, takes: Bool
  ) throws(HostError) -> LocalSocket? {
    var pollers = [
      pollfd(fd: bell.read, events: Int16(POLLIN), revents: 0),
      pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
    ]
    _ = unsafe poll(&pollers, takes ? 2 : 1, (end - .now).pollMilliseconds)
    if pollers[0].revents != 0 {
      var bytes = [UInt8](repeating: 0, count: 256)
      while unsafe read(bell.read, &bytes, bytes.count) > 0 {}
    }
    guard pollers[1].revents != 0 else { return nil }
    let accepted = Glibc.accept(descriptor, nil, nil)
    if accepted >= 0 {
      LocalSocket.prepare(accepted)
      return LocalSocket(descriptor: accepted)
    }
    if [EAGAIN, EWOULDBLOCK, EINTR, ECONNABORTED].contains(errno) { return nil }
    throw .system(call: "accept", subject: path, code: errno)
  }

  /// `accept` returns. From any thread.
  package func wake() {
    let byte: [UInt8] = [1]
    // A pipe that is full wakes as well.
    _ = unsafe write(bell.write, byte, 1)
  }

  /// Whether the path leads here; a tool may have removed the file.
  package var isInPlace: Bool {
    get throws(HostError) { try FileIdentity(path) == identity }
  }

  /// Takes the name away, unless another socket has it by now.
  package func remove() throws(HostError) {
    guard try isInPlace else { return }
    guard unsafe unlink(path) == 0 || errno == ENOENT else {
      throw .system(call: "unlink", subject: path, code: errno)
    }
  }
}
