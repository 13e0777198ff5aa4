import Diagnostics
import Dispatch
import Host
import HummingbirdCore
import Logging
import Mailboxes
import MessageFormat
import NIOCore
import Synchronization

/// Answers one request after the other, in this order: is there such a hook, is the request of a form that it takes, how
/// large is it, may this address still ask, are the bytes of a holder of the secret. Only then they are parsed, stored, and
/// answered with 202.
final class HookResponder: Sendable {
  /// Where a request came in.
  private struct Visit {
    let entry: HookTable.Entry
    let client: ClientAddress
    let verdict: AddressLimiter.Verdict
  }

  private struct Body {
    let bytes: [UInt8]
    /// Kept until the request is answered.
    let place: LargeBodies.Place?
  }

  private let table: HookTable
  private let queue: CommitQueue
  private let log: Logger
  private let now: @Sendable () -> Timestamp
  private let proxies: Mutex<[Network]>
  private let limiter: Mutex<AddressLimiter>
  private let bodies = LargeBodies()
  /// One large body after the other: verifying 25 MiB takes a tenth of a second and more.
  private let largeWork = DispatchQueue(label: "distro.hooks.large")
  private let lines = RateLimiter(burst: 20)

  init(
    _ settings: HookSettings, table: HookTable, queue: CommitQueue, log: Logger,
    now: @escaping @Sendable () -> Timestamp
  ) {
    (self.table, self.queue, self.log, self.now) = (table, queue, log, now)
    proxies = Mutex(settings.trustedProxies)
    limiter = Mutex(AddressLimiter(requestsPerSecond: settings.requestsPerSecond))
  }

  func adopt(_ settings: HookSettings) {
    proxies.withLock { $0 = settings.trustedProxies }
    limiter.withLock { $0 = AddressLimiter(requestsPerSecond: settings.requestsPerSecond) }
  }

  func respond(
    _ request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel
  ) async throws {
    let answer = try await answer(request, from: channel.remoteAddress?.ipAddress)
    try await answer.write(to: writer)
  }

  private func answer(_ request: Request, from peer: String?) async throws -> Answer {
    let client = ClientAddress(
      peer: peer, forwarded: Self.forwarded(in: request),
      trusting: proxies.withLock { $0 })
    let verdict = limiter.withLock { $0 }.take(client)
    guard let entry = table[Self.path(of: request)] else { return refuse(.notFound, nil, client) }
    guard verdict != .refused else { return refuse(.tooMany, entry, client) }
    guard request.method == .post else { return refuse(.methodNotAllowed, entry, client) }
    let visit = Visit(entry: entry, client: client, verdict: verdict)
    let headers = HookHeaders(
      request.headers.map { (name: $0.name.canonicalName, value: $0.value) })
    guard Payload.takes(headers.contentType, from: entry.hook.host) else {
      return refuse(.unsupportedType, entry, client)
    }
    switch try await read(request, of: visit) {
    case .failure(let refusal): return refuse(refusal.answer, entry, client)
    case .success(let body):
      return await judge(HookRequest(headers: headers, body: body.bytes), body.place, of: visit)
    }
  }

  /// What stands before a question mark; compared as it is, byte for byte.
  private static func path(of request: Request) -> String {
    String((request.head.path ?? "").prefix { $0 != "?" })
  }

  /// A proxy may add a header of its own instead of writing behind the last one.
  private static func forwarded(in request: Request) -> String? {
    let values = request.headers.filter { $0.name.canonicalName == "x-forwarded-for" }.map(\.value)
    return values.isEmpty ? nil : values.joined(separator: ",")
  }

  // MARK: - The body

  private struct Refused: Error { let answer: Answer }

  /// The peer is gone, or what it announced did not come: there is no one to answer.
  private struct CutOff: Error {}

  private func read(
    _ request: Request, of visit: Visit
  ) async throws -> Result<Body, Refused> {
    let length = request.headers[.contentLength].flatMap { Int($0) }
    guard length ?? 0 <= HookLimits.bodyByteCountMax else {
      return .failure(Refused(answer: .tooLarge))
    }
    var place: LargeBodies.Place?
    var bytes: [UInt8] = []
    if let length {
      if length > HookLimits.smallBodyByteCountMax {
        guard visit.verdict == .allowed else { return .failure(Refused(answer: .tooMany)) }
        place = await bodies.place(for: visit.client)
      }
      bytes.reserveCapacity(min(length, HookLimits.smallBodyByteCountMax))
    }
    for try await part in request.body {
      let count = bytes.count + part.readableBytes
      guard count <= HookLimits.bodyByteCountMax else {
        return .failure(Refused(answer: .tooLarge))
      }
      if place == nil, count > HookLimits.smallBodyByteCountMax {
        guard visit.verdict == .allowed else { return .failure(Refused(answer: .tooMany)) }
        place = await bodies.place(for: visit.client)
      }
      bytes.append(contentsOf: part.readableBytesView)
    }
    guard length == nil || length == bytes.count else { throw CutOff() }
    return .success(Body(bytes: bytes, place: place))
  }

  // MARK: - What it says

  private enum Judgement {
    case forged
    case flawed(PayloadFlaw)
    case genuine(Recognition)
  }

  private func judge(
    _ request: HookRequest, _ place: LargeBodies.Place?, of visit: Visit
  ) async -> Answer {
    let now = now()
    let entry = visit.entry
    @Sendable func judgement() -> Judgement {
      guard
        entry.isOpen || entry.hook.host.verifies(request, by: entry.secrets, now: now)
      else { return .forged }
      do throws(PayloadFlaw) {
        return .genuine(try Payload.recognise(request, from: entry.hook.host))
      } catch {
        return .flawed(error)
      }
    }
    let result: Judgement
    if place == nil {
      result = judgement()
    } else {
      result = await withCheckedContinuation { continuation in
        largeWork.async { continuation.resume(returning: judgement()) }
      }
    }
    switch result {
    case .forged:
      return refuse(.unauthorized, entry, visit.client, byteCount: request.body.count)
    case .flawed(let flaw):
      report(.hookNotUnderstood, entry, visit.client, ["error": "\(flaw.reason)"])
      queue.count(RefusalKey(path: entry.hook.path, status: Answer.notUnderstood.status))
      return .notUnderstood
    case .genuine(let recognition):
      return await take(recognition, of: request, visit: visit, at: now)
    }
  }

  private func take(
    _ recognition: Recognition, of request: HookRequest, visit: Visit, at now: Timestamp
  ) async -> Answer {
    let entry = visit.entry
    switch recognition {
    case .test:
      return await store("test", nil, of: request, visit, at: now, .test)
    case .ignored(let event):
      return await store(
        String(event.prefix(100)), nil, of: request, visit, at: now, .ignored("not a push"))
    case .push(let push):
      guard push.repository.isOf(entry.remote) else {
        let found = push.repository.addresses.first ?? push.repository.path ?? "none"
        report(
          .hookOfAnotherRepository, entry, visit.client,
          ["remote": "\(entry.hook.remote)", "repository": "\(found.prefix(200))"])
        return .ignored("another repository")
      }
      guard !push.refs.isEmpty || push.namesNoRef else {
        return await store(
          "push", nil, of: request, visit, at: now, .ignored("neither a branch nor a tag"))
      }
      return await store("push", push.refs, of: request, visit, at: now, .accepted)
    }
  }

  /// Answered when it is on the disk.
  private func store(
    _ event: String, _ refs: [String]?, of request: HookRequest, _ visit: Visit,
    at now: Timestamp, _ answer: Answer
  ) async -> Answer {
    let entry = visit.entry
    let delivery = HookDelivery(
      hook: entry.hook.path, host: entry.hook.host, id: entry.hook.host.deliveryID(of: request),
      remote: entry.hook.remote, event: event, refs: refs, receivedAt: now)
    do {
      guard try await queue.store(delivery) == .stored else { return .repeated }
    } catch {
      let fault = (MailboxError(ofDatabase: error) ?? error) as? any OperatorError
      report(
        .hookNotStored, entry, visit.client,
        ["error": "\(fault?.message ?? "\(error)")", "code": "\(fault?.code.rawValue ?? "other")"])
      return .unavailable
    }
    if let refs {
      log.report(
        .hookReceived,
        [
          "hook": "\(entry.hook.path)", "remote": "\(entry.hook.remote)",
          "refs": "\(refs.prefix(3).joined(separator: " "))",
        ])
    } else {
      log.report(.hookIgnored, ["hook": "\(entry.hook.path)", "received": "\(event)"])
    }
    return answer
  }

  // MARK: - What is refused

  private func refuse(
    _ answer: Answer, _ entry: HookTable.Entry?, _ client: ClientAddress, byteCount: Int = 0
  ) -> Answer {
    let mayKnow = limiter.withLock { $0 }.fail(client, byteCount: byteCount)
    let final = mayKnow ? answer : .tooMany
    queue.count(RefusalKey(path: entry?.hook.path ?? "", status: final.status))
    report(.hookRefused, entry, client, ["status": .number(answer.status)])
    return final
  }

  private func report(
    _ event: Event, _ entry: HookTable.Entry?, _ client: ClientAddress, _ fields: Logger.Metadata
  ) {
    guard let others = lines.take() else { return }
    var all = fields
    // Of a path that is no hook's, nothing is said: strangers would write the log.
    if let entry { all["hook"] = "\(entry.hook.path)" }
    (all["address"], all["others"]) = ("\(client.text)", .number(others))
    log.report(event, all)
  }
}
