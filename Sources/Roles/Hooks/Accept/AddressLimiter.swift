import Synchronization

/// How many requests an address may make: so many a second, and of those that fail a burst, then a few a second.
///
/// Failures are what a stranger has. An address that had too many of them is not shut out, since many share one (a code
/// host's, a proxy's): small requests are still verified, at the cost of a few microseconds, large ones are not.
final class AddressLimiter: Sendable {
  private struct Account {
    var requests: Double
    var failures: Double
    var refilled: ContinuousClock.Instant
  }

  private let requestsPerSecond: Double
  private let accounts = Mutex<[String: Account]>([:])

  init(requestsPerSecond: Int) { self.requestsPerSecond = Double(requestsPerSecond) }

  enum Verdict { case allowed, onlySmall, refused }

  /// A request has begun.
  func take(_ address: ClientAddress, at now: ContinuousClock.Instant = .now) -> Verdict {
    change(address, at: now) { account in
      guard account.requests >= 1 else { return .refused }
      account.requests -= 1
      return account.failures >= 1 ? .allowed : .onlySmall
    }
  }

  /// It was answered with an error that a host does not cause; returns whether that may be said in detail.
  func fail(
    _ address: ClientAddress, byteCount: Int, at now: ContinuousClock.Instant = .now
  ) -> Bool {
    change(address, at: now) { account in
      guard account.failures >= 1 else { return false }
      account.failures -= 1 + Double(byteCount >> 20)
      return true
    }
  }

  private func change<Value>(
    _ address: ClientAddress, at now: ContinuousClock.Instant, _ body: (inout Account) -> Value
  ) -> Value {
    accounts.withLock { accounts in
      if accounts[address.text] == nil, accounts.count >= HookLimits.addressCountMax {
        forget(&accounts, at: now)
      }
      var account =
        accounts[address.text]
        ?? Account(
          requests: 2 * requestsPerSecond, failures: HookLimits.failureBurst, refilled: now)
      refill(&account, at: now)
      defer { accounts[address.text] = account }
      return body(&account)
    }
  }

  private func refill(_ account: inout Account, at now: ContinuousClock.Instant) {
    let seconds = (now - account.refilled) / .seconds(1)
    account.requests = min(2 * requestsPerSecond, account.requests + seconds * requestsPerSecond)
    account.failures = min(
      HookLimits.failureBurst, account.failures + seconds * HookLimits.failuresPerSecond)
    account.refilled = now
  }

  /// Those that are full again are as if they had never been here; where strangers have too many addresses, all.
  private func forget(_ accounts: inout [String: Account], at now: ContinuousClock.Instant) {
    accounts = accounts.filter { _, account in
      var account = account
      refill(&account, at: now)
      return account.failures < HookLimits.failureBurst || account.requests < requestsPerSecond
    }
    if accounts.count >= HookLimits.addressCountMax { accounts = [:] }
  }
}
