import Foundation
import IronMQ
import Testing
import WebClient

@Suite struct RequestTests {
  private let queue: QueueName
  private let message: ReservedMessage

  init() throws {
    queue = try #require(QueueName("distro-4f"))
    message = try #require(ReservedMessage(id: "2605601678238811215", reservation: "5259a40cf166"))
  }

  private func text(_ request: IronMQRequest) -> String {
    String(decoding: request.body ?? [], as: UTF8.self)
  }

  @Test func `requests are those of the documentation`() throws {
    var batch = PostBatch(requestByteCount: 65_536)
    let fits = [batch.append([1, 2, 3]), batch.append([255])]
    #expect(fits == [true, true])
    let reserving = Reserving(count: 7, timeoutSeconds: 60, waitSeconds: 30)
    let several = try #require(ReservedBatch([message, message]))
    let expected: [(IronMQRequest, WebRequest.Method, String, String)] = [
      (.queueInfo(queue), .get, "/queues/distro-4f", ""),
      (
        .createQueue(queue, QueueSettings()), .put, "/queues/distro-4f",
        #"{"queue":{"message_timeout":60,"message_expiration":604800,"type":"pull"}}"#
      ),
      (.deleteQueue(queue), .delete, "/queues/distro-4f", ""),
      (
        .post(batch, into: queue), .post, "/queues/distro-4f/messages",
        #"{"messages":[{"body":"AQID"},{"body":"/w=="}]}"#
      ),
      (
        .reserve(reserving, from: queue), .post, "/queues/distro-4f/reservations",
        #"{"n":7,"timeout":60,"wait":30,"delete":false}"#
      ),
      (
        .touch(message, seconds: 60, in: queue), .post,
        "/queues/distro-4f/messages/2605601678238811215/touch",
        #"{"reservation_id":"5259a40cf166","timeout":60}"#
      ),
      (
        .release(message, in: queue), .post,
        "/queues/distro-4f/messages/2605601678238811215/release",
        #"{"reservation_id":"5259a40cf166"}"#
      ),
      (
        .delete(message, from: queue), .delete,
        "/queues/distro-4f/messages/2605601678238811215", #"{"reservation_id":"5259a40cf166"}"#
      ),
      (
        .deleteAll(several, from: queue), .delete, "/queues/distro-4f/messages",
        #"{"ids":[{"id":"2605601678238811215","reservation_id":"5259a40cf166"},"#
          + #"{"id":"2605601678238811215","reservation_id":"5259a40cf166"}]}"#
      ),
    ]
    for (request, method, path, body) in expected {
      #expect(request.method == method)
      #expect(request.path == path)
      #expect(text(request) == body)
    }
  }

  /// IronMQ takes a list of none for the word to clear the queue.
  @Test func `no list of messages to delete is empty`() throws {
    #expect(ReservedBatch([]) == nil)
    #expect(ReservedBatch(Array(repeating: message, count: 101)) == nil)
    let hundred = try #require(ReservedBatch(Array(repeating: message, count: 100)))
    #expect(text(.deleteAll(hundred, from: queue)).hasPrefix(#"{"ids":[{"id":""#))
  }

  @Test(arguments: ["", "a/b", "a?b", "a b", "ä", "..", "a\n", String(repeating: "a", count: 201)])
  func `a name that a URL would read otherwise is none`(text: String) {
    #expect(QueueName(text) == nil)
    #expect(
      ReservedMessage(id: text + String(repeating: "b", count: 99), reservation: "a") == nil
        || text.isEmpty)
    #expect(ReservedMessage(id: "", reservation: "a") == nil)
  }

  @Test(arguments: ["", "a\"b", "a\\b", "a\nb", "ä"])
  func `a reservation that JSON would read otherwise is none`(text: String) {
    #expect(ReservedMessage(id: "1", reservation: text) == nil)
  }

  @Test(arguments: [65_536, 262_144]) func `a request is never over the limit`(limit: Int) throws {
    let most = PostBatch.contentByteCountMax(requestByteCount: limit)
    for size in [1, 2, 3, 1_000, 40_000, most] {
      var batch = PostBatch(requestByteCount: limit)
      var count = 0
      while batch.append([UInt8](repeating: 7, count: size)) { count += 1 }
      #expect(count >= 1 && count <= 100)
      let byteCount = IronMQRequest.post(batch, into: queue).body?.count ?? 0
      #expect(byteCount <= limit - PostBatch.headByteCount)
    }
    var batch = PostBatch(requestByteCount: limit)
    let fits = batch.append([UInt8](repeating: 7, count: most + 3))
    #expect(!fits)
  }

  @Test func `a copy of a strangers body is escaped`() throws {
    let body = "a\"b\\c\u{1}\u{7f}ä😀\n"
    let request = text(.postCopy(body, into: queue))
    #expect(request.utf8.allSatisfy { 0x20..<0x7f ~= $0 })
    let object =
      try JSONSerialization.jsonObject(with: Data(request.utf8)) as? [String: [[String: String]]]
    #expect(object?["messages"]?.first?["body"] == body)
  }

  @Test func `nothing to post has the size that is asked for`() {
    let request = IronMQRequest.postNothing(byteCount: 65_536, into: queue)
    #expect(request.body?.count == 65_536)
    #expect(text(request).filter { $0 != " " } == #"{"messages":[]}"#)
  }
}

@Suite struct AnswerTests {
  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  @Test func `ids are numbers or texts`() throws {
    #expect(try IronMQAnswer.posted(bytes(#"{"ids":["1",2605601678238811215],"msg":"x"}"#)) == 2)
    let messages = try IronMQAnswer.reserved(
      bytes(
        """
        {"messages":[{"id":2605601678238811215,"body":"AQID","reserved_count":1,"reservation_id":"5b"},
        {"id":"7","body":"not Base64!","reservation_id":9}]}
        """))
    #expect(messages.map(\.reserved.id) == ["2605601678238811215", "7"])
    #expect(messages.map(\.reserved.reservation) == ["5b", "9"])
    #expect(messages.map(\.content) == [[1, 2, 3], nil])
    #expect(try IronMQAnswer.reserved(bytes(#"{"messages":[]}"#)).isEmpty)
  }

  @Test func `a touch brings another reservation`() throws {
    let message = try #require(ReservedMessage(id: "1", reservation: "a"))
    let touched = try IronMQAnswer.touched(message, bytes(#"{"reservation_id":"b","msg":"x"}"#))
    #expect(touched == ReservedMessage(id: "1", reservation: "b"))
    #expect(try IronMQAnswer.touched(message, bytes(#"{"msg":"x"}"#)) == message)
  }

  @Test func `a queue has a size a type and an expiration`() throws {
    let text =
      #"{"queue":{"project_id":123,"name":"q","size":5,"message_expiration":3600,"type":"unicast"}}"#
    let queue = try IronMQAnswer.queue(bytes(text))
    #expect(queue.size == 5 && queue.type == "unicast" && queue.expirationSeconds == 3_600)
  }

  @Test(arguments: [
    "", "null", "[]", "{", #"{"messages":{}}"#,
    #"{"messages":[{"id":1.5,"body":"","reservation_id":"a"}]}"#,
    #"{"messages":[{"id":-1,"body":"","reservation_id":"a"}]}"#,
    #"{"messages":[{"id":"../../x","body":"","reservation_id":"a"}]}"#,
    #"{"messages":[{"id":"1","body":"","reservation_id":"a\"b"}]}"#,
  ])
  func `an answer that is another than documented is refused`(text: String) {
    #expect {
      try IronMQAnswer.reserved(bytes(text))
    } throws: { error in
      if case IronMQError.invalidAnswer = error { true } else { false }
    }
  }
}

@Suite struct AddressTests {
  @Test func `an address is a host perhaps a port and a project`() throws {
    func text(_ host: String, _ port: Int? = nil) throws -> String {
      try IronMQAddress(host: host, port: port, project: "57a7b7").base.text
    }
    #expect(
      try text("mq-aws-us-east-1-1.iron.io")
        == "https://mq-aws-us-east-1-1.iron.io/3/projects/57a7b7")
    #expect(try text("mq.example.org", 8_443) == "https://mq.example.org:8443/3/projects/57a7b7")
    #expect(
      try text("https://mq.example.org:8443/") == "https://mq.example.org:8443/3/projects/57a7b7")
    #expect(try text("http://127.0.0.1:8080") == "http://127.0.0.1:8080/3/projects/57a7b7")
    #expect(try text("http://localhost", 8_080) == "http://localhost:8080/3/projects/57a7b7")
    #expect(try text("http://[::1]:8080") == "http://[::1]:8080/3/projects/57a7b7")
  }

  @Test(arguments: [
    ("http://mq.example.org", nil, "a", IronMQAddress.Fault.plain),
    ("http://127.0.0.1.example.org", nil, "a", .plain), ("", nil, "a", .host),
    ("ftp://mq", nil, "a", .host), ("mq/path", nil, "a", .host), ("user@mq", nil, "a", .host),
    ("mq?x", nil, "a", .host), ("mq:0", nil, "a", .port), ("mq:70000", nil, "a", .port),
    ("mq:80", 80, "a", .port), ("mq", 0, "a", .port), ("mq", 65_536, "a", .port),
    ("mq", nil, "", .project), ("mq", nil, "a/b", .project), ("mq", nil, "..", .project),
  ])
  func `an address that is none is refused with the reason`(
    host: String, port: Int?, project: String, fault: IronMQAddress.Fault
  ) {
    #expect(throws: fault) { try IronMQAddress(host: host, port: port, project: project) }
  }
}
