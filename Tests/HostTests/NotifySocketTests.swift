import Foundation
import Host
import TestSupport
import Testing

struct NotifySocketTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `message arrives at a path as one datagram`() throws {
    let manager = try NotifyReceiver(at: folder.path + "/notify")
    let socket = try NotifySocket(folder.path + "/notify")
    try socket.send(["READY=1", "STATUS=running: applier"])
    try socket.send(["WATCHDOG=1"])
    #expect(try manager.next() == ["READY=1", "STATUS=running: applier"])
    #expect(try manager.next() == ["WATCHDOG=1"])
  }

  @Test func `message arrives at an abstract address`() throws {
    let name = "@distro-tests-\(UUID().uuidString)"
    let manager = try NotifyReceiver(at: name)
    try NotifySocket(name).send(["STOPPING=1"])
    #expect(try manager.next() == ["STOPPING=1"])
  }

  @Test func `manager that was started again is reached`() throws {
    let path = folder.path + "/notify"
    var manager: NotifyReceiver? = try NotifyReceiver(at: path)
    let socket = try NotifySocket(path)
    try socket.send(["READY=1"])
    #expect(try manager?.next() == ["READY=1"])
    manager = nil
    #expect(throws: HostError.self) { try socket.send(["WATCHDOG=1"]) }
    let second = try NotifyReceiver(at: path)
    try socket.send(["WATCHDOG=2"])
    #expect(try second.next() == ["WATCHDOG=2"])
  }

  @Test(arguments: [
    "", "@", "/", "relative", "vsock:2:1", "/" + String(repeating: "n", count: 107),
  ])
  func `refuses addresses that are none`(address: String) {
    #expect(throws: HostError.notifyAddressInvalid(address)) { try NotifySocket(address) }
  }

  @Test func `tells whose a file is and what the disk holds`() throws {
    let path = try folder.file("x", mode: 0o640)
    let rights = try #require(try FileRights.of(path))
    #expect(rights.mode == 0o640 && !rights.isDirectory && rights.isWritable)
    #expect(rights.owner == FileRights.user)
    #expect(try FileRights.of(folder.path + "/none") == nil)
    let space = try DiskSpace(at: folder.path)
    #expect(space.freeByteCount > 0 && space.freeByteCount <= space.byteCount)
    #expect(throws: HostError.self) { try DiskSpace(at: folder.path + "/none") }
    let first = try HostClock.monotonicMicroseconds()
    #expect(try HostClock.monotonicMicroseconds() >= first)
    #expect(try ResourceLimit.openFiles.value() ?? .max > 2)
  }
}
