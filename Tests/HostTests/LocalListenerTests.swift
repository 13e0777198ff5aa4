import Foundation
import Host
import TestSupport
import Testing

struct LocalListenerTests {
  private let folder: TemporaryFolder
  private var path: String { folder.path + "/socket" }

  init() throws { folder = try TemporaryFolder() }

  private func listen(_ path: String? = nil, mode: UInt32 = 0o600) throws -> LocalListener {
    try LocalListener(at: path ?? self.path, group: nil, mode: mode)
  }

  private func connect(_ path: String? = nil) throws -> LocalSocket {
    try LocalSocket(connectingTo: path ?? self.path, by: .now + patience)
  }

  private func expectConversation(at listener: LocalListener, _ path: String? = nil) throws {
    let client = try connect(path)
    let server = try #require(try listener.accept(by: .now + patience, takes: true))
    #expect(try client.send([1, 2, 3]) == 3)
    #expect(server.waitUntilReadable(by: .now + patience))
    #expect(try server.receive() == [1, 2, 3])
    #expect(server.peerUser == geteuid() && !server.isPeerGone)
    client.shutDown()
    #expect(server.waitUntilReadable(by: .now + patience))
    #expect(try server.receive() == [])
  }

  @Test func `socket has its rights, and is gone after an orderly end`() throws {
    let listener = try listen(mode: 0o620)
    #expect(try folder.mode(path) == 0o620)
    try expectConversation(at: listener)
    try listener.setRights(group: nil, mode: 0o666)
    #expect(try folder.mode(path) == 0o666)
    try listener.remove()
    #expect(try folder.names == ["socket.lock"])
  }

  @Test func `socket that was left behind is replaced`() throws {
    _ = try listen()
    #expect(try folder.names.contains("socket"))
    #expect(throws: HostError.system(call: "connect", subject: path, code: ECONNREFUSED)) {
      try connect()
    }
    try expectConversation(at: try listen())
  }

  @Test func `socket of a living process is never taken`() throws {
    let listener = try listen()
    #expect(throws: HostError.socketInUse(path)) { try listen() }
    try expectConversation(at: listener)
    // One of a program that knows nothing of our lock.
    let other = folder.path + "/other"
    let stranger = try listen(folder.path + "/stranger")
    try FileManager.default.moveItem(atPath: folder.path + "/stranger", toPath: other)
    #expect(throws: HostError.socketInUse(other)) { try listen(other) }
    #expect(try !stranger.isInPlace)
  }

  @Test func `what is no socket is left alone`() throws {
    try Data("mine".utf8).write(to: URL(fileURLWithPath: path))
    #expect(throws: HostError.noSocket(path)) { try listen() }
    #expect(try folder.content(path) == "mine")
  }

  @Test func `a socket that took the place of ours is not removed`() throws {
    let first = try listen()
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.removeItem(atPath: path + ".lock")
    let second = try listen()
    #expect(try !first.isInPlace)
    try first.remove()
    #expect(try second.isInPlace)
    try expectConversation(at: second)
  }

  @Test func `a path may be longer than an address`() throws {
    let directory = folder.path + "/" + String(repeating: "d", count: 120)
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: false)
    let listener = try listen(directory + "/socket")
    try expectConversation(at: listener, directory + "/socket")
    try listener.remove()
  }

  @Test func `a wait for a connection ends when it is woken`() throws {
    let listener = try listen()
    Thread { listener.wake() }.start()
    #expect(try listener.accept(by: .now + patience, takes: true) == nil)
    let client = try connect()
    defer { client.shutDown() }
    listener.wake()
    // Full: the connection waits in the queue.
    #expect(try listener.accept(by: .now + patience, takes: false) == nil)
    #expect(try listener.accept(by: .now + patience, takes: true) != nil)
  }

  @Test func `groups are known by name and by number`() throws {
    #expect(try SystemGroup.number(of: "root") == 0)
    #expect(try SystemGroup.number(of: "12345") == 12_345)
    #expect(try SystemGroup.number(of: "no-such-group") == nil)
  }
}
