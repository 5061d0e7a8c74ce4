package kyc

import (
	"context"
	cryptorand "crypto/rand"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"
	"unicode/utf8"

	"kycd/ent"
	"kycd/ent/datakey"
	"kycd/ent/delivery"
	"kycd/ent/oauthclient"
	"kycd/ent/outbox"
	"kycd/ent/predicate"
	"kycd/ent/session"
	entwebhook "kycd/ent/webhook"
	"kycd/kyc/auth"
	"kycd/kyc/webhook"
)

// CreateWebhook registers an endpoint. Its signing secret is in the answer, and nowhere else ever again; a request that is
// repeated under its idempotency key gets that answer again.
func (s *Service) CreateWebhook(ctx context.Context, p auth.Principal, clientID, name, url string) (Webhook, error) {
	if name == "" || utf8.RuneCountInString(name) > 200 {
		return Webhook{}, invalid("/name", "must be 1 to 200 characters")
	}
	if _, err := s.config.Webhooks.ParseURL(url); err != nil {
		return Webhook{}, refusedURL("/url", err)
	}
	if clientID == "" {
		clientID = p.ClientID
	}
	secret, err := webhook.NewSecret(cryptorand.Reader)
	if err != nil {
		return Webhook{}, Internal(err)
	}
	return once(ctx, s, p, func(c *change) (Webhook, error) {
		out := Webhook{ID: s.newID(), ClientID: clientID, Name: name, URL: url, CreatedAt: c.now, Secret: secret}
		if err := c.ownClient(ctx, p, clientID); err != nil {
			return out, err
		}
		keyID, v, err := c.newVault(ctx, datakey.PurposeClient)
		if err != nil {
			return out, err
		}
		sealedURL, err1 := v.seal("webhooks", "url", out.ID, url)
		sealedSecret, err2 := v.seal("webhooks", "secret", out.ID, secret)
		if err := firstError(err1, err2); err != nil {
			return out, err
		}
		err = c.Webhook.Create().SetID(out.ID).SetUserID(p.UserID).SetClientID(clientID).SetKeyID(keyID).SetName(name).
			SetURLSealed(sealedURL).SetSecretSealed(sealedSecret).SetCreatedAt(c.now).Exec(ctx)
		if err != nil {
			return out, Internal(err)
		}
		return out, nil
	})
}

// ownClient refuses a client that is not the caller's.
func (c *change) ownClient(ctx context.Context, p auth.Principal, clientID string) error {
	where := []predicate.OAuthClient{oauthclient.ID(clientID), oauthclient.UserID(p.UserID), oauthclient.RevokedAtIsNil()}
	if p.ClientID != "" {
		where = append(where, oauthclient.ID(p.ClientID))
	}
	ok, err := c.OAuthClient.Query().Where(where...).Exist(ctx)
	if err != nil {
		return Internal(err)
	}
	if !ok {
		return notFound("client")
	}
	return nil
}

// myWebhooks is the tenancy of endpoints.
func myWebhooks(p auth.Principal) []predicate.Webhook {
	where := []predicate.Webhook{entwebhook.UserID(p.UserID), entwebhook.DeletedAtIsNil()}
	if p.ClientID != "" {
		where = append(where, entwebhook.ClientID(p.ClientID))
	}
	return where
}

// ListWebhooks gives the caller's endpoints and how their deliveries stand.
func (s *Service) ListWebhooks(ctx context.Context, p auth.Principal, q WebhookQuery) (WebhookPage, error) {
	where := myWebhooks(p)
	if q.ClientID != "" {
		where = append(where, entwebhook.ClientID(q.ClientID))
	}
	if q.SearchTerm != "" {
		where = append(where, entwebhook.Or(entwebhook.NameContainsFold(q.SearchTerm), entwebhook.ID(q.SearchTerm)))
	}
	ids, err := s.db.Ent.Webhook.Query().Where(where...).IDs(ctx)
	if err != nil {
		return WebhookPage{}, Internal(err)
	}
	result := WebhookPage{
		Statistics: map[string]int{"total": 0, "pending": 0, "delivered": 0, "failed": 0}, PerWebhook: map[string]map[string]int{},
	}
	var counts []struct {
		WebhookID string `json:"webhook_id"`
		Status    string `json:"status"`
		Count     int    `json:"count"`
	}
	err = s.db.Ent.Delivery.Query().Where(delivery.WebhookIDIn(ids...)).GroupBy(delivery.FieldWebhookID, delivery.FieldStatus).
		Aggregate(ent.Count()).Scan(ctx, &counts)
	if err != nil {
		return WebhookPage{}, Internal(err)
	}
	for _, n := range counts {
		if result.PerWebhook[n.WebhookID] == nil {
			result.PerWebhook[n.WebhookID] = map[string]int{"total": 0, "pending": 0, "delivered": 0, "failed": 0}
		}
		for _, m := range []map[string]int{result.Statistics, result.PerWebhook[n.WebhookID]} {
			m[n.Status] += n.Count
			m["total"] += n.Count
		}
	}
	take, skip := page(q.Take, q.Skip)
	rows, err := s.db.Ent.Webhook.Query().Where(where...).Order(ent.Desc(entwebhook.FieldCreatedAt, entwebhook.FieldID)).Limit(take).Offset(skip).All(ctx)
	if err != nil {
		return WebhookPage{}, Internal(err)
	}
	for _, row := range rows {
		v, err := s.vault(ctx, s.db.Ent.DataKey, row.KeyID)
		if err != nil {
			return WebhookPage{}, err
		}
		hook := Webhook{ID: row.ID, ClientID: row.ClientID, Name: row.Name, CreatedAt: row.CreatedAt, DisabledAt: row.DisabledAt}
		if err := v.open("webhooks", "url", row.ID, row.URLSealed, &hook.URL); err != nil {
			return WebhookPage{}, err
		}
		result.Webhooks = append(result.Webhooks, hook)
	}
	return result, nil
}

// DeleteWebhook ends an endpoint; what was on its way to it is given up.
func (s *Service) DeleteWebhook(ctx context.Context, p auth.Principal, id string) error {
	return s.apply(ctx, p, func(c *change) error {
		n, err := c.Webhook.Update().Where(myWebhooks(p)...).Where(entwebhook.ID(id)).SetDeletedAt(c.now).Save(ctx)
		if err != nil {
			return Internal(err)
		}
		if n == 0 {
			return notFound("webhook")
		}
		return c.giveUp(ctx, delivery.WebhookID(id))
	})
}

// giveUp ends the pending deliveries to an address that is gone.
func (c *change) giveUp(ctx context.Context, which ...predicate.Delivery) error {
	pending, err := c.Delivery.Query().Where(which...).Where(delivery.StatusEQ(delivery.StatusPending)).IDs(ctx)
	if err != nil {
		return Internal(err)
	}
	err = firstError(
		c.Delivery.Update().Where(delivery.IDIn(pending...)).SetStatus(delivery.StatusFailed).SetLastCode("endpoint_gone").Exec(ctx),
		c.Outbox.Update().Where(outbox.SubjectIDIn(pending...), outbox.Kind(WorkDeliver), outbox.DoneAtIsNil()).SetDoneAt(c.now).Exec(ctx))
	if err != nil {
		return Internal(err)
	}
	return nil
}

// announce writes an event for every endpoint that should hear of it: the client's registered ones, and
// the session's own webhook_url. The body is thin: whoever wants to know more asks, and is authorised then.
func (c *change) announce(ctx context.Context, row *ent.Session, what string, status Status, verified *bool) error {
	eventID, eventType := c.s.newID(), string(row.Kind)+".session."+what
	data := map[string]any{"session_id": row.ID, "client_id": row.ClientID, "status_e": status}
	if row.IdentityID != nil {
		data["identity_id"] = *row.IdentityID
	}
	switch {
	case verified == nil:
	case row.Kind == session.KindIda:
		data["authenticated"] = *verified
	default:
		data["verified"] = *verified
	}
	body, err := webhook.Event{Type: eventType, Timestamp: c.now, Data: data}.Encode()
	if err != nil {
		return Internal(err)
	}
	hooks, err := c.Webhook.Query().Where(entwebhook.ClientID(row.ClientID), entwebhook.DeletedAtIsNil(), entwebhook.DisabledAtIsNil()).IDs(ctx)
	if err != nil {
		return Internal(err)
	}
	if len(row.WebhookURLSealed) > 0 {
		hooks = append(hooks, "")
	}
	for _, hook := range hooks {
		id := c.s.newID()
		create := c.Delivery.Create().SetID(id).SetClientID(row.ClientID).SetSessionID(row.ID).
			SetEventID(eventID).SetEventType(eventType).SetBody(body).SetCreatedAt(c.now)
		if hook != "" {
			create.SetWebhookID(hook)
		}
		if err := create.Exec(ctx); err != nil {
			return Internal(err)
		}
		if err := c.add(ctx, WorkDeliver, id, row.ID); err != nil {
			return err
		}
	}
	return nil
}

// DeliverWebhook is the job: one try to deliver one event. The receiver may see an event twice, under the
// same id; it never misses one while the schedule lasts.
func (s *Service) DeliverWebhook(ctx context.Context, outboxID string) error {
	work, err := findWork(ctx, s.db.Ent.Outbox, outboxID, WorkDeliver)
	if err != nil {
		return err
	}
	if work.DoneAt != nil {
		return nil
	}
	row, err := s.db.Ent.Delivery.Get(ctx, work.SubjectID)
	if err != nil {
		return Internal(err)
	}
	url, secret, err := s.address(ctx, row)
	if err != nil {
		if e := AsError(err); e.Code == CodeErased || e.Code == CodeNotFound {
			return s.change(ctx, func(c *change) error {
				return c.delivered(ctx, work.ID, row, webhook.Result{Outcome: webhook.Gone, Err: err})
			})
		}
		return err
	}
	result := s.webhooks.Send(ctx, webhook.Message{ID: row.EventID, URL: url, Body: row.Body, Secrets: []string{secret}})
	return s.change(ctx, func(c *change) error { return c.delivered(ctx, work.ID, row, result) })
}

// address opens where a delivery goes and what signs it.
func (s *Service) address(ctx context.Context, row *ent.Delivery) (url, secret string, err error) {
	if row.WebhookID != nil {
		hook, err := s.db.Ent.Webhook.Get(ctx, *row.WebhookID)
		if err != nil {
			return "", "", Internal(err)
		}
		v, err := s.vault(ctx, s.db.Ent.DataKey, hook.KeyID)
		if err != nil {
			return "", "", err
		}
		return url, secret, firstError(v.open("webhooks", "url", hook.ID, hook.URLSealed, &url),
			v.open("webhooks", "secret", hook.ID, hook.SecretSealed, &secret))
	}
	of, err := s.db.Ent.Session.Get(ctx, *row.SessionID)
	if err != nil {
		return "", "", Internal(err)
	}
	v, err := s.vault(ctx, s.db.Ent.DataKey, of.KeyID)
	if err != nil {
		return "", "", err
	}
	if err := v.open("sessions", "webhook_url", of.ID, of.WebhookURLSealed, &url); err != nil {
		return "", "", err
	}
	secret, err = s.WebhookKey(ctx, row.ClientID)
	return url, secret, err
}

// disableAfter is how long an endpoint may fail before nothing is sent to it any more.
const disableAfter = 5 * 24 * time.Hour

// delivered writes what a try came to, and when the next one is due.
func (c *change) delivered(ctx context.Context, workID string, row *ent.Delivery, result webhook.Result) error {
	attempts := row.Attempts + 1
	update := c.Delivery.Update().Where(delivery.ID(row.ID), delivery.StatusEQ(delivery.StatusPending)).
		SetAttempts(attempts).SetLastStatus(result.Status).SetLastCode(failureCode(result.Err))
	wait, again := webhook.NextAfter(result, attempts, rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())))
	switch {
	case result.Outcome == webhook.Delivered:
		update.SetStatus(delivery.StatusDelivered).SetDeliveredAt(c.now)
	case !again:
		update.SetStatus(delivery.StatusFailed)
	}
	if err := update.Exec(ctx); err != nil {
		return Internal(err)
	}
	if err := c.endpointHealth(ctx, row, result); err != nil {
		return err
	}
	if again {
		return c.later(ctx, workID, c.now.Add(wait), "delivery_failed")
	}
	_, err := c.done(ctx, workID)
	return err
}

// failureCode is the stable name of why a try failed.
func failureCode(err error) string {
	var code webhook.Code
	switch {
	case err == nil:
		return ""
	case errors.As(err, &code):
		return string(code)
	default:
		return "failed"
	}
}

// endpointHealth keeps since when an endpoint fails, and disables one that is gone or failed for too long.
func (c *change) endpointHealth(ctx context.Context, row *ent.Delivery, result webhook.Result) error {
	if row.WebhookID == nil {
		return nil
	}
	hook, err := c.Webhook.Get(ctx, *row.WebhookID)
	if err != nil {
		return Internal(err)
	}
	update, disabled := c.Webhook.UpdateOne(hook), false
	switch {
	case result.Outcome == webhook.Delivered:
		update.ClearFailingSince()
	case result.Status == http.StatusGone, hook.FailingSince != nil && c.now.Sub(*hook.FailingSince) > disableAfter:
		update.SetDisabledAt(c.now)
		disabled = true
	case hook.FailingSince == nil:
		update.SetFailingSince(c.now)
	}
	if err := update.Exec(ctx); err != nil {
		return Internal(err)
	}
	if disabled {
		return c.giveUp(ctx, delivery.WebhookID(hook.ID))
	}
	return nil
}
